#include "fuzzing.h"
#include "tinta/io/npz.h"

// What is accepted survives being written and read again, bit for bit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    const auto written = tinta::io::encode_npy(tinta::io::decode_npy(bytes, "fuzz.npy"));
    const at::Tensor again = tinta::io::decode_npy(written, "again.npy");
    tinta::fuzz::require(tinta::io::encode_npy(again) == written);
  });
}
