#include <utility>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/inflate.h"
#include "tinta/io/zip.h"
#include "tinta/io/zip_format.h"

namespace tinta::io {
namespace {

constexpr std::uint16_t kVersion = 20;       // 2.0: deflate
constexpr std::uint32_t kTime = 0x00210000;  // 1980-01-01 00:00:00, the format's first instant

// The fields that a local header and a directory entry have in common.
void append_common(std::vector<std::byte>& out, const std::string& name, std::uint32_t crc,
                   std::size_t packed_bytes, std::size_t unpacked_bytes) {
  append_little_endian(out, kVersion);
  append_little_endian(out, zip::kUtf8Flag);
  append_little_endian(out, zip::kDeflated);
  append_little_endian(out, kTime);
  append_little_endian(out, crc);
  append_little_endian(out, static_cast<std::uint32_t>(packed_bytes));
  append_little_endian(out, static_cast<std::uint32_t>(unpacked_bytes));
  append_little_endian(out, static_cast<std::uint16_t>(name.size()));
  append_little_endian(out, std::uint16_t{0});  // extra field
}

}  // namespace

void ZipWriter::add(const std::string& name, std::span<const std::byte> content) {
  const std::vector<std::byte> packed = deflate_bytes(content);
  const std::uint64_t offset = archive_.size();
  if (name.size() > 0xFFFF || members_ >= 0xFFFE || content.size() >= zip::kInZip64Field ||
      offset + packed.size() + directory_.size() + 2 * name.size() + 128 >= zip::kInZip64Field) {
    throw ArgumentError("[ZipWriter] expected less than 4 GiB and 65535 members, got more with " +
                        shown(name));
  }
  const std::uint32_t crc = crc32_of(content);
  append_little_endian(archive_, zip::kLocalSignature);
  append_common(archive_, name, crc, packed.size(), content.size());
  append(archive_, name);
  append(archive_, packed);

  append_little_endian(directory_, zip::kDirectorySignature);
  append_little_endian(directory_, kVersion);
  append_common(directory_, name, crc, packed.size(), content.size());
  append_little_endian(directory_, std::uint16_t{0});  // comment
  append_little_endian(directory_, std::uint16_t{0});  // disk
  append_little_endian(directory_, std::uint16_t{0});  // internal attributes
  append_little_endian(directory_, std::uint32_t{0});  // external attributes
  append_little_endian(directory_, static_cast<std::uint32_t>(offset));
  append(directory_, name);
  ++members_;
}

std::vector<std::byte> ZipWriter::finish() {
  const auto offset = static_cast<std::uint32_t>(archive_.size());
  append(archive_, directory_);
  append_little_endian(archive_, zip::kEndSignature);
  append_little_endian(archive_, std::uint32_t{0});  // disk numbers
  append_little_endian(archive_, members_);
  append_little_endian(archive_, members_);
  append_little_endian(archive_, static_cast<std::uint32_t>(directory_.size()));
  append_little_endian(archive_, offset);
  append_little_endian(archive_, std::uint16_t{0});  // comment
  directory_.clear();
  members_ = 0;
  return std::exchange(archive_, {});
}

}  // namespace tinta::io
