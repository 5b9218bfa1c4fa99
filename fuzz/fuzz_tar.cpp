#include "fuzzing.h"
#include "tinta/io/tar.h"

// What is accepted is a list of files, none above the limit.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kMost = 1 << 20;
  return tinta::fuzz::check(data, size, [](std::span<const std::byte> bytes) {
    const auto all = [](const std::string&) { return true; };
    for (const auto& member : tinta::io::read_tar_gz(bytes, "fuzz.tar.gz", all, kMost)) {
      tinta::fuzz::require(member.content.size() <= kMost);
    }
  });
}
