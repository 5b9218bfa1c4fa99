#include <numeric>

#include "fuzzing.h"
#include "tinta/io/idx.h"

// What is accepted has exactly the bytes that its sizes say.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    const tinta::io::IdxArray array = tinta::io::parse_idx(bytes, "fuzz.idx");
    const auto product = std::accumulate(
        array.sizes.begin(), array.sizes.end(), std::size_t{1},
        [](std::size_t a, std::int64_t b) { return a * static_cast<std::size_t>(b); });
    tinta::fuzz::require(array.bytes.size() == product);
  });
}
