#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace tinta {

/// A file's bytes as a part of memory that the machine reads where it is touched and may drop
/// again: for files larger than memory. They stay as they are when the file is replaced by a
/// rename; a file that is cut short while it is mapped ends the process.
class MappedFile {
 public:
  /// @throws SystemError when it cannot be opened or mapped, or is no file
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// Asks the machine to begin reading a part of a mapped file; does not wait for it.
void read_ahead(std::span<const std::byte> part) noexcept;

}  // namespace tinta
