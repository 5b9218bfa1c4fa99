#include "faults/file_faults.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <string_view>

namespace tinta::faults {
namespace {

// Never destroyed: calls come until the very end of the program.
Plan& plan() {
  static Plan* const the_plan = new Plan();
  return *the_plan;
}

std::string& last_failed() {
  static std::string* const path = new std::string();
  return *path;
}

std::atomic<bool> flushing{true};
std::atomic<bool> armed{false};
std::atomic<std::uint64_t> counted{0};
std::atomic<std::uint64_t> failed{0};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void note(std::string_view first, std::string_view second) {
  if (plan().log.empty()) return;
  static auto* const real_open = next<int(const char*, int, ...)>("open");
  static auto* const real_write = next<ssize_t(int, const void*, size_t)>("write");
  const std::string line = std::string(first) + " " + std::string(second) + "\n";
  const int file = real_open(plan().log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  [[maybe_unused]] const auto written = real_write(file, line.data(), line.size());
  close(file);
}

// Whether this call is to fail; errno is set then.
bool fails(const char* call, std::string_view path) {
  if (!armed || !path.starts_with(plan().prefix)) return false;
  const std::uint64_t number = ++counted;
  const Plan& set = plan();
  if (set.at == 0 || number < set.at) return false;
  if (set.count != 0 && number >= set.at + set.count) return false;
  ++failed;
  last_failed() = path;
  note(call, path);
  if (set.action == Action::kill) raise(SIGKILL);
  while (set.action == Action::hang) pause();
  errno = set.error;
  return true;
}

bool fails(const char* call, int descriptor) {
  if (!armed) return false;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink(link.c_str(), path.data(), path.size());
  return length > 0 && fails(call, {path.data(), static_cast<std::size_t>(length)});
}

bool writes(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0; }

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What a preloaded library is told by the environment.
struct Preloaded {
  Preloaded() {
    const char* const prefix = std::getenv("TINTA_FAULT_PREFIX");
    if (prefix == nullptr) return;
    const char* const action = std::getenv("TINTA_FAULT_ACTION");
    const char* const log = std::getenv("TINTA_FAULT_LOG");
    const std::string_view word = action == nullptr ? "" : action;
    arm({.prefix = prefix,
         .at = number_in("TINTA_FAULT_AT", 0),
         .count = number_in("TINTA_FAULT_COUNT", 1),
         .action = word == "kill"   ? Action::kill
                   : word == "hang" ? Action::hang
                                    : Action::error,
         .error = static_cast<int>(number_in("TINTA_FAULT_ACTION", EIO)),
         .log = log == nullptr ? "" : log});
  }
  ~Preloaded() {
    if (armed) note("calls", std::to_string(counted));
  }
};
const Preloaded preloaded;

}  // namespace

void arm(const Plan& new_plan) {
  armed = false;
  plan() = new_plan;
  counted = 0;
  failed = 0;
  last_failed().clear();
  armed = true;
}

WithoutFlushes::WithoutFlushes() { flushing = false; }

WithoutFlushes::~WithoutFlushes() { flushing = true; }

void disarm() { armed = false; }

std::uint64_t calls() { return counted; }

std::uint64_t failures() { return failed; }

std::string failed_path() { return last_failed(); }

}  // namespace tinta::faults

// The calls themselves: the C library's own, behind a look at the plan.

using tinta::faults::fails;
using tinta::faults::next;
using tinta::faults::writes;

extern "C" {

int open(const char* path, int flags, ...) {
  static auto* const real = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return writes(flags) && fails("open", path) ? -1 : real(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  static auto* const real = next<int(const char*, int, ...)>("open64");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return writes(flags) && fails("open", path) ? -1 : real(path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t count) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  return fails("write", file) ? -1 : real(file, bytes, count);
}

ssize_t writev(int file, const iovec* parts, int count) {
  static auto* const real = next<ssize_t(int, const iovec*, int)>("writev");
  return fails("write", file) ? -1 : real(file, parts, count);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return fails("write", file) ? -1 : real(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return fails("write", file) ? -1 : real(file, bytes, count, offset);
}

int ftruncate(int file, off_t size) noexcept {
  static auto* const real = next<int(int, off_t)>("ftruncate");
  return fails("truncate", file) ? -1 : real(file, size);
}

int fsync(int file) {
  static auto* const real = next<int(int)>("fsync");
  if (fails("fsync", file)) return -1;
  return tinta::faults::flushing ? real(file) : 0;
}

int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return fails("mkdir", path) ? -1 : real(path, mode);
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  return fails("rename", to) ? -1 : real(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  static auto* const real = next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return fails("rename", to) ? -1 : real(from_folder, from, to_folder, to, flags);
}

}  // extern "C"
