#include "tinta/io/tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/inflate.h"

namespace tinta::io {
namespace {

constexpr std::size_t kPart = 1 << 16;

// Unpacks with our own Inflater, which verifies the checksums that libarchive passes over, and lets
// libarchive take the tar apart.
class TarReader {
 public:
  TarReader(std::span<const std::byte> bytes, std::string path)
      : path_(std::move(path)), stream_(bytes, Packing::gzip, path_), part_(kPart) {
    if (!archive_) throw std::bad_alloc();
    check(archive_read_support_format_tar(archive_.get()));
    check(archive_read_open(archive_.get(), this, nullptr, unpack, nullptr));
  }

  // The next member's entry; null at the archive's end.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return nullptr;
    check(status);
    return entry;
  }

  std::vector<std::byte> content(std::uint64_t size) {
    std::vector<std::byte> out;
    while (out.size() < size) {
      // Grows with what is really there, not with what the header says.
      const std::size_t before = out.size();
      out.resize(static_cast<std::size_t>(
          std::min<std::uint64_t>(size, std::max<std::size_t>(2 * before, kPart))));
      const la_ssize_t got =
          archive_read_data(archive_.get(), out.data() + before, out.size() - before);
      if (got < 0) check(static_cast<int>(got));
      if (got == 0) throw DataError(path_, "expected the rest of a member, got the archive's end");
      out.resize(before + static_cast<std::size_t>(got));
    }
    return out;
  }

  // What lies behind the tar's end is unpacked too, for its checksum.
  void drain() {
    while (stream_.read(part_) > 0) {
    }
  }

 private:
  static la_ssize_t unpack(archive* archive, void* self, const void** out) noexcept {
    auto& reader = *static_cast<TarReader*>(self);
    try {
      *out = reader.part_.data();
      return static_cast<la_ssize_t>(reader.stream_.read(reader.part_));
    } catch (...) {
      reader.thrown_ = std::current_exception();
      archive_set_error(archive, EIO, "unpacking failed");
      return ARCHIVE_FATAL;
    }
  }

  void check(int status) {
    if (thrown_) std::rethrow_exception(thrown_);
    if (status == ARCHIVE_OK) return;
    const char* reason = archive_error_string(archive_.get());
    throw DataError(path_ + "(unpacked)", "expected a whole, well-formed tar, got: " +
                                              std::string(reason != nullptr ? reason : "damage"));
  }

  struct Free {
    void operator()(archive* it) const { archive_read_free(it); }
  };
  std::string path_;
  Inflater stream_;
  std::vector<std::byte> part_;
  std::exception_ptr thrown_;
  std::unique_ptr<archive, Free> archive_{archive_read_new()};
};

}  // namespace

std::vector<TarMember> read_tar_gz(std::span<const std::byte> bytes, const std::string& path,
                                   const std::function<bool(const std::string& name)>& wanted,
                                   std::uint64_t most) {
  if (bytes.size() < 2 || bytes[0] != std::byte{0x1f} || bytes[1] != std::byte{0x8b}) {
    throw DataError(path, "expected a .tar.gz, got a file without gzip's magic", 0);
  }
  TarReader reader(bytes, path);
  std::vector<TarMember> members;
  while (archive_entry* entry = reader.next()) {
    const char* const raw = archive_entry_pathname(entry);
    const std::string name = raw != nullptr ? raw : "";
    if (!wanted(name)) continue;
    const std::int64_t size = archive_entry_size(entry);
    if (archive_entry_filetype(entry) != AE_IFREG || size < 0 ||
        static_cast<std::uint64_t>(size) > most) {
      throw DataError(path, "expected a plain file of at most " + std::to_string(most) +
                                " bytes, got " + shown(name) + " of " + std::to_string(size));
    }
    members.push_back({name, reader.content(static_cast<std::uint64_t>(size))});
  }
  reader.drain();
  return members;
}

}  // namespace tinta::io
