#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace tinta {

/// Writes a large file piece by piece, in any order, and shows it only when it is whole: a file
/// PATH.tmp-HOST-PID beside it is written, flushed and renamed. Without commit(), or where the
/// program fails, nothing is left but what a kill leaves, which the next writer of the same path on
/// the same machine removes.
class FileWriter {
 public:
  /// Makes missing folders. @throws SystemError
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// @param offset of the piece in the file; gaps are zeros
  /// @throws SystemError when the disk is full or fails
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Flushes the file and renames it to `path`, in place of what is there. @throws SystemError
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int file_ = -1;
};

}  // namespace tinta
