#include "tinta/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "tinta/core/error.h"

namespace tinta {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw SystemError("[" + path.string() + "] cannot open", errno);
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const auto size = known ? static_cast<std::size_t>(status.st_size) : 0;
  void* const begin = size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0) : nullptr;
  const int reason = errno;
  ::close(file);
  if (!known) throw SystemError("[" + path.string() + "] expected a file that can be mapped");
  if (begin == MAP_FAILED) throw SystemError("[" + path.string() + "] cannot map", reason);
  bytes_ = {static_cast<const std::byte*>(begin), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void read_ahead(std::span<const std::byte> part) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t first = begin / page * page;
  // Only advice: what fails costs time and nothing else.
  ::madvise(reinterpret_cast<void*>(first), part.size() + (begin - first), MADV_WILLNEED);
}

}  // namespace tinta
