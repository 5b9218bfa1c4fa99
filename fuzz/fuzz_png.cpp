#include <ATen/ops/equal.h>

#include "fuzzing.h"
#include "tinta/io/png.h"
#include "tinta/io/png_testing.h"

// An input is tried as it is and with its chunks' CRCs made true: no fuzzer guesses those. What is
// accepted survives being written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tinta::io;
  const auto parse = [](std::span<const std::byte> bytes) {
    png_text(bytes, "fuzz.png");
    const at::Tensor image = decode_png(bytes, "fuzz.png");
    tinta::fuzz::require(at::equal(decode_png(encode_png(image), "again.png"), image));
  };
  tinta::fuzz::check(data, size, parse);
  return tinta::fuzz::check(
      data, size, [&](std::span<const std::byte> bytes) { parse(testing::with_true_crcs(bytes)); });
}
