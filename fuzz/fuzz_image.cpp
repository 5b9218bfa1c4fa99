#include <webp/decode.h>

#include "fuzzing.h"
#include "tinta/io/image.h"
#include "tinta/io/png.h"

namespace {

// A few bytes may be a WebP of one colour with 2^28 pixels: valid, and too slow to be tried often.
bool too_large(const std::uint8_t* data, std::size_t size) {
  int width = 0, height = 0;
  return WebPGetInfo(data, size, &width, &height) != 0 && width > (1 << 20) / height;
}

}  // namespace

// What is accepted is a picture that PNG can hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (too_large(data, size)) return 0;
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    tinta::io::encode_png(tinta::io::decode_image(bytes, "fuzz"));
  });
}
