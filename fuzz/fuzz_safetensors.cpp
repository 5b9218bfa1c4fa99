#include "fuzzing.h"
#include "tinta/io/safetensors.h"

// What is accepted survives being written and read again, bit for bit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tinta::io;
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    const auto written = encode_safetensors(decode_safetensors(bytes, "fuzz.safetensors"));
    const TensorFile again = decode_safetensors(written, "again.safetensors");
    tinta::fuzz::require(encode_safetensors(again) == written);
  });
}
