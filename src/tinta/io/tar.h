#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tinta::io {

/// A file in an archive.
struct TarMember {
  std::string name;  ///< as the archive has it: "cifar-10-batches-bin/test_batch.bin"
  std::vector<std::byte> content{};
};

/// The files that are wanted of a .tar.gz, in its order; nothing is written anywhere. The whole
/// archive is read, so that the checksums of its packing are verified.
/// @param most bytes that a wanted file may have
/// @throws DataError on anything but a whole, well-formed tar in gzip, or a wanted file that is too
///         large or no plain file
std::vector<TarMember> read_tar_gz(std::span<const std::byte> bytes, const std::string& path,
                                   const std::function<bool(const std::string& name)>& wanted,
                                   std::uint64_t most);

}  // namespace tinta::io
