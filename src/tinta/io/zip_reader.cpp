#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/inflate.h"
#include "tinta/io/zip.h"
#include "tinta/io/zip_format.h"

namespace tinta::io {
namespace {

/// Where the directory lies, from the record that ends the archive.
struct DirectoryPlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint32_t members = 0;
};

/// The fields that a directory entry and a local header have in common.
struct CommonFields {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t unpacked_bytes = 0;
  std::uint16_t name_bytes = 0;
  std::uint16_t extra_bytes = 0;
};

CommonFields read_common(ByteReader& reader) {
  CommonFields fields;
  reader.take(2, "zip version");
  fields.flags = reader.little_endian<std::uint16_t>("zip flags");
  fields.method = reader.little_endian<std::uint16_t>("zip method");
  reader.take(4, "zip time");
  fields.crc = reader.little_endian<std::uint32_t>("zip CRC");
  fields.packed_bytes = reader.little_endian<std::uint32_t>("zip packed size");
  fields.unpacked_bytes = reader.little_endian<std::uint32_t>("zip size");
  fields.name_bytes = reader.little_endian<std::uint16_t>("zip name length");
  fields.extra_bytes = reader.little_endian<std::uint16_t>("zip extra length");
  return fields;
}

std::uint64_t find_end_record(std::span<const std::byte> archive, const std::string& path) {
  constexpr std::uint64_t kMaxComment = 0xFFFF;
  for (std::uint64_t comment = 0; comment <= kMaxComment; ++comment) {
    if (archive.size() < zip::kEndBytes + comment) break;
    const std::uint64_t offset = archive.size() - zip::kEndBytes - comment;
    ByteReader reader(archive.subspan(offset), path, offset);
    if (reader.little_endian<std::uint32_t>("zip signature") != zip::kEndSignature) continue;
    reader.take(zip::kEndBytes - 6, "zip end record");
    if (reader.little_endian<std::uint16_t>("zip comment length") == comment) return offset;
  }
  throw DataError(path, "expected a zip archive that ends in its end record, got none",
                  archive.size());
}

DirectoryPlace find_directory(std::span<const std::byte> archive, const std::string& path) {
  const std::uint64_t end = find_end_record(archive, path);
  ByteReader reader(archive.subspan(end), path, end);
  reader.take(4, "zip signature");
  const std::uint32_t disks = reader.little_endian<std::uint32_t>("zip disk numbers");
  const auto members_here = reader.little_endian<std::uint16_t>("zip member count");
  DirectoryPlace place;
  place.members = reader.little_endian<std::uint16_t>("zip member count");
  place.bytes = reader.little_endian<std::uint32_t>("zip directory size");
  place.offset = reader.little_endian<std::uint32_t>("zip directory offset");
  if (place.members == 0xFFFF || place.bytes == zip::kInZip64Field ||
      place.offset == zip::kInZip64Field) {
    throw DataError(path, "expected an archive without zip64, got zip64", end);
  }
  if (disks != 0 || members_here != place.members) {
    throw DataError(path, "expected a zip archive in one part, got several", end);
  }
  if (place.offset + place.bytes != end) {
    throw DataError(path,
                    "expected the zip directory to end at " + std::to_string(end) + ", got " +
                        std::to_string(place.offset + place.bytes),
                    end);
  }
  return place;
}

void check_supported(const CommonFields& fields, const ByteReader& at) {
  if ((fields.flags & zip::kEncryptedFlag) != 0)
    at.fail("expected a plain member, got an encrypted");
  constexpr std::uint16_t kKnown = zip::kLevelFlags | zip::kDescriptorFlag | zip::kUtf8Flag;
  if ((fields.flags & ~kKnown) != 0) {
    at.fail("expected known zip flags, got " + std::to_string(fields.flags));
  }
  if (fields.method != zip::kStored && fields.method != zip::kDeflated) {
    at.fail("expected compression 0 (stored) or 8 (deflated), got " +
            std::to_string(fields.method));
  }
  if (fields.packed_bytes == zip::kInZip64Field || fields.unpacked_bytes == zip::kInZip64Field) {
    at.fail("expected an archive without zip64, got zip64");
  }
  if (fields.method == zip::kStored && fields.packed_bytes != fields.unpacked_bytes) {
    at.fail("expected a stored member's two sizes to be equal, got " +
            std::to_string(fields.packed_bytes) + " and " + std::to_string(fields.unpacked_bytes));
  }
}

// Some writers (NumPy's among them) reserve a zip64 field in the local header of a small member.
void resolve_zip64(CommonFields& local, std::span<const std::byte> extra, const ByteReader& at,
                   const std::string& path) {
  if (local.unpacked_bytes != zip::kInZip64Field || local.packed_bytes != zip::kInZip64Field)
    return;
  ByteReader reader(extra, path, at.offset() - extra.size());
  while (reader.remaining() > 0) {
    const auto id = reader.little_endian<std::uint16_t>("zip extra field");
    const auto bytes = reader.little_endian<std::uint16_t>("zip extra field");
    if (id == zip::kZip64Field) {
      local.unpacked_bytes = reader.little_endian<std::uint64_t>("zip64 size");
      local.packed_bytes = reader.little_endian<std::uint64_t>("zip64 packed size");
      return;
    }
    reader.take(bytes, "zip extra field");
  }
  at.fail("expected a zip64 field for the sizes, got none");
}

// Checks a member's own header against its directory entry, and finds its data.
void read_local(std::span<const std::byte> archive, std::uint64_t offset, const CommonFields& entry,
                const std::string& path, ZipMember& member) {
  ByteReader reader(archive.subspan(std::min<std::uint64_t>(offset, archive.size())), path, offset);
  if (reader.little_endian<std::uint32_t>("zip member signature") != zip::kLocalSignature) {
    throw DataError(path, "expected the header of zip member " + shown(member.name) + ", got none",
                    offset);
  }
  CommonFields local = read_common(reader);
  const std::string_view name = reader.text(local.name_bytes, "zip member name");
  const auto extra = reader.take(local.extra_bytes, "zip extra field");
  resolve_zip64(local, extra, reader, path);
  const bool later = (entry.flags & zip::kDescriptorFlag) != 0;
  const auto agrees = [later](std::uint64_t here, std::uint64_t directory) {
    return here == directory || (later && here == 0);
  };
  if (name != member.name || local.flags != entry.flags || local.method != entry.method ||
      !agrees(local.crc, entry.crc) || !agrees(local.packed_bytes, entry.packed_bytes) ||
      !agrees(local.unpacked_bytes, entry.unpacked_bytes)) {
    throw DataError(path,
                    "expected the header of zip member " + shown(member.name) +
                        " to agree with the directory, got another",
                    offset);
  }
  member.packed_offset = reader.offset();
  member.packed = reader.take(entry.packed_bytes, "zip member " + shown(member.name));
}

/// The bytes that a member takes in the archive, its header included.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// Members that share bytes are how a small archive is made to unpack to anything.
void check_apart(std::vector<Extent> extents, std::uint64_t limit, const std::string& path) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::uint64_t next = i + 1 < extents.size() ? extents[i + 1].begin : limit;
    if (extents[i].end > next) {
      throw DataError(path,
                      "expected zip members that lie apart, got one that reaches to " +
                          std::to_string(extents[i].end),
                      next);
    }
  }
}

void check_crc(std::span<const std::byte> content, const ZipMember& member,
               const std::string& path) {
  if (crc32_of(content) == member.crc) return;
  throw DataError(
      path,
      "expected zip member " + shown(member.name) + " to have the directory's CRC, got another",
      member.packed_offset);
}

}  // namespace

std::vector<ZipMember> read_zip_directory(std::span<const std::byte> archive,
                                          const std::string& path) {
  const DirectoryPlace place = find_directory(archive, path);
  ByteReader reader(archive.subspan(place.offset, place.bytes), path, place.offset);
  std::vector<ZipMember> members;
  std::vector<Extent> extents;
  for (std::uint32_t i = 0; i < place.members; ++i) {
    if (reader.little_endian<std::uint32_t>("zip directory") != zip::kDirectorySignature) {
      reader.fail("expected a zip directory entry, got another signature");
    }
    reader.take(2, "zip version");
    const CommonFields entry = read_common(reader);
    check_supported(entry, reader);
    const auto comment_bytes = reader.little_endian<std::uint16_t>("zip comment length");
    const auto disk = reader.little_endian<std::uint16_t>("zip disk number");
    if (disk != 0) reader.fail("expected a zip archive in one part, got several");
    reader.take(6, "zip attributes");
    const auto offset = reader.little_endian<std::uint32_t>("zip member offset");
    ZipMember member{.name = std::string(reader.text(entry.name_bytes, "zip member name")),
                     .packed = {},
                     .unpacked_bytes = entry.unpacked_bytes,
                     .crc = entry.crc,
                     .deflated = entry.method == zip::kDeflated};
    reader.take(entry.extra_bytes, "zip extra field");
    reader.take(comment_bytes, "zip comment");
    read_local(archive, offset, entry, path, member);
    extents.push_back({offset, member.packed_offset + member.packed.size()});
    members.push_back(std::move(member));
  }
  if (reader.remaining() > 0) reader.fail("expected the zip directory to end, got more bytes");
  check_apart(std::move(extents), place.offset, path);
  return members;
}

std::span<const std::byte> stored_content(const ZipMember& member, const std::string& path) {
  check_crc(member.packed, member, path);
  return member.packed;
}

std::vector<std::byte> unpack(const ZipMember& member, const std::string& path) {
  std::vector<std::byte> content;
  if (member.deflated) {
    Inflater stream(member.packed, Packing::deflate, path, member.packed_offset);
    stream.append_to(content, member.unpacked_bytes);
    const bool ended = stream.at_end();
    if (!ended || content.size() != member.unpacked_bytes) {
      throw DataError(path,
                      "expected zip member " + shown(member.name) + " to unpack to " +
                          std::to_string(member.unpacked_bytes) + " bytes, got " +
                          (ended ? std::to_string(content.size()) : std::string("more")),
                      member.packed_offset);
    }
  } else {
    content.assign(member.packed.begin(), member.packed.end());
  }
  check_crc(content, member, path);
  return content;
}

}  // namespace tinta::io
