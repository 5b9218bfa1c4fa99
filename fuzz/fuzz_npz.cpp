#include "fuzzing.h"
#include "tinta/io/npz.h"

// What is accepted survives being written and read again, bit for bit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    const auto written = tinta::io::encode_npz(tinta::io::decode_npz(bytes, "fuzz.npz"));
    const auto again = tinta::io::decode_npz(written, "again.npz");
    tinta::fuzz::require(tinta::io::encode_npz(again) == written);
  });
}
