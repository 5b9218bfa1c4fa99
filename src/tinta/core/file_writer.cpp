#include "tinta/core/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"

namespace tinta {
namespace fs = std::filesystem;
namespace {

/// What a temporary file of this machine has after the name of its file, and before its process.
/// A folder may be shared with others, whose processes cannot be seen from here.
std::string mark() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  return ".tmp-" + std::string(host.data()) + "-";
}

/// Whether `name` is a temporary file of `stem`, of this machine, whose process is gone.
bool abandoned(const std::string& name, const std::string& stem) {
  const std::string prefix = stem + mark();
  if (!name.starts_with(prefix)) return false;
  pid_t process = 0;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, process);
  if (error != std::errc() || rest != end || process <= 0) return false;
  return ::kill(process, 0) != 0 && errno == ESRCH;
}

void remove_abandoned(const fs::path& path) {
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(path.parent_path(), failed)) {
    if (abandoned(entry.path().filename().string(), path.filename().string())) {
      fs::remove(entry.path(), failed);
    }
  }
}

}  // namespace

FileWriter::FileWriter(const fs::path& path) : path_(fs::absolute(path)) {
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) {
    throw SystemError("[" + path_.parent_path().string() +
                      "] cannot make the folder: " + error.message());
  }
  remove_abandoned(path_);
  temporary_ = path_.string() + mark() + std::to_string(::getpid());
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file_ < 0) throw SystemError("[" + temporary_.string() + "] cannot create", errno);
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void FileWriter::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("[" + path_.string() + "] cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void FileWriter::commit() {
  if (::fsync(file_) != 0) throw SystemError("[" + path_.string() + "] cannot flush", errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw SystemError("[" + path_.string() + "] cannot rename", errno);
  }
  ::close(file_);
  file_ = -1;
  flush_folder(path_.parent_path());
}

}  // namespace tinta
