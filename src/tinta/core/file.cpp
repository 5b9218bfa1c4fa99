#include "tinta/core/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "tinta/core/error.h"
#include "tinta/core/file_writer.h"

namespace tinta {
namespace fs = std::filesystem;
namespace {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0644)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return value_; }
  [[nodiscard]] bool valid() const noexcept { return value_ >= 0; }
  int close() noexcept {
    const int result = ::close(value_);
    value_ = -1;
    return result;
  }

 private:
  int value_;
};

void write_all(int descriptor, std::span<const std::byte> bytes, const fs::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw SystemError("[" + path.string() + "] cannot write", errno);
    }
    done += static_cast<std::size_t>(count);
  }
}

void make_parent(const fs::path& path) {
  if (!path.has_parent_path()) return;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) {
    throw SystemError("[" + path.parent_path().string() +
                      "] cannot make the folder: " + error.message());
  }
}

}  // namespace

std::vector<std::byte> read_bytes(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file.valid()) throw SystemError("[" + path.string() + "] cannot open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    throw SystemError("[" + path.string() + "] cannot read", errno);
  }
  if (S_ISDIR(status.st_mode)) {
    throw SystemError("[" + path.string() + "] expected a file, got a folder");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)));
  std::size_t done = 0;
  for (;;) {
    // A pipe or a growing file can hold more than its size said.
    if (done == bytes.size()) bytes.resize(bytes.size() + 65536);
    const ssize_t count = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError("[" + path.string() + "] cannot read", errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

std::string read_text(const fs::path& path) {
  const std::vector<std::byte> bytes = read_bytes(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_file_checked(const fs::path& path, std::span<const std::byte> bytes) {
  Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.valid()) throw SystemError("[" + path.string() + "] cannot create", errno);
  write_all(file.get(), bytes, path);
  if (::fsync(file.get()) != 0) throw SystemError("[" + path.string() + "] cannot flush", errno);
  if (file.close() != 0) throw SystemError("[" + path.string() + "] cannot close", errno);
}

void flush_folder(const fs::path& folder) {
  const Descriptor handle(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY);
  if (!handle.valid() || ::fsync(handle.get()) != 0) {
    throw SystemError("[" + folder.string() + "] cannot flush the folder", errno);
  }
}

void require_writable(const fs::path& path, Existing existing) {
  std::error_code unknown;  // a path that cannot be looked up fails when written, by name
  if (!fs::exists(path, unknown)) return;
  if (!fs::is_regular_file(path, unknown)) {
    throw ArgumentError("[" + path.string() +
                        "] expected a new name or a file, got a folder, pipe or device");
  }
  if (existing == Existing::refuse) {
    throw ArgumentError("[" + path.string() + "] already exists; --force replaces it");
  }
}

void write_file(const fs::path& path, std::span<const std::byte> bytes, Existing existing) {
  require_writable(path, existing);
  FileWriter file(path);
  file.write_at(0, bytes);
  file.commit();
}

void write_file(const fs::path& path, std::string_view text, Existing existing) {
  write_file(path, std::as_bytes(std::span(text)), existing);
}

namespace {

// A lock that is held for a moment only, by lock_held(), is waited for.
bool locked(int descriptor) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
  }
  return false;
}

}  // namespace

bool lock_held(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  return file.valid() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock::FileLock(const fs::path& path) {
  make_parent(path);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw SystemError("[" + path.string() + "] cannot open the lock", errno);
  if (!locked(descriptor_)) {
    std::array<char, 32> holder{};
    const ssize_t count = ::read(descriptor_, holder.data(), holder.size() - 1);
    ::close(descriptor_);
    descriptor_ = -1;
    throw SystemError("[" + path.parent_path().string() + "] in use by process " +
                      (count > 0 ? std::string(holder.data()) : std::string("unknown")));
  }
  const std::string self = std::to_string(::getpid());
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, self.data(), self.size(), 0) != static_cast<ssize_t>(self.size())) {
    ::close(descriptor_);
    throw SystemError("[" + path.string() + "] cannot write the lock", errno);
  }
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace tinta
