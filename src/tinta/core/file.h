#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinta {

/// The whole file. @throws SystemError when it cannot be opened or read.
std::vector<std::byte> read_bytes(const std::filesystem::path& path);
std::string read_text(const std::filesystem::path& path);

enum class Existing { refuse, replace };

/// Refuses a path that write_file() would refuse: for asking before long work, not after it.
/// @throws ArgumentError when the file exists and `existing` is refuse, or when the path is that of
///         a folder, pipe or device, which a rename would do away with
void require_writable(const std::filesystem::path& path, Existing existing);

/// Writes a file so that `path` holds either what it held before or all of `bytes`, whatever
/// happens: a temporary file beside it, every write checked, flushed to the disk, renamed, the
/// folder flushed. Makes missing folders.
/// @throws ArgumentError as require_writable() does
/// @throws SystemError naming the path when a write fails; the temporary file is removed
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                Existing existing);
void write_file(const std::filesystem::path& path, std::string_view text, Existing existing);

/// Writes and flushes a file in place, with every write checked; for files inside a folder that is
/// itself temporary. @throws SystemError
void write_file_checked(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Flushes a folder's entries to the disk. @throws SystemError
void flush_folder(const std::filesystem::path& folder);

/// An advisory lock on a file, held until destruction or the end of the process, however it ends.
class FileLock {
 public:
  /// @param path made when missing; holds the process id of its holder
  /// @throws SystemError "in use by process N" when another process holds it
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Whether a process, this one too, holds a FileLock on the file. It looks by holding the lock
/// itself for a moment, beside others who look; a FileLock that comes then waits for it to end.
bool lock_held(const std::filesystem::path& path);

}  // namespace tinta
