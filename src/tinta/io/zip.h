#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinta::io {

/// One member of a zip archive, as its directory describes it. Source: PKWARE APPNOTE.TXT 6.3.
struct ZipMember {
  std::string name;
  std::span<const std::byte> packed;  ///< into the archive's bytes
  std::uint64_t packed_offset = 0;    ///< of `packed` in the archive
  std::uint64_t unpacked_bytes = 0;
  std::uint32_t crc = 0;
  bool deflated = false;  ///< otherwise stored
};

/// Reads an archive's directory and checks it against the members' own headers. Members keep the
/// directory's order and never share bytes.
/// @throws DataError with the byte offset: damaged records, headers that disagree, members that
///         overlap, zip64, several disks, encryption, methods other than stored and deflated
std::vector<ZipMember> read_zip_directory(std::span<const std::byte> archive,
                                          const std::string& path);

/// The content of a stored member where it lies, its CRC verified. @throws DataError
std::span<const std::byte> stored_content(const ZipMember& member, const std::string& path);

/// A member's content, its size and CRC verified. @throws DataError
std::vector<std::byte> unpack(const ZipMember& member, const std::string& path);

/// Builds an archive of deflated members with fixed time stamps: equal members give equal bytes.
class ZipWriter {
 public:
  /// @throws ArgumentError on a name or content too large for an archive without zip64
  void add(const std::string& name, std::span<const std::byte> content);
  /// The whole archive; the writer is then empty.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  std::vector<std::byte> archive_;
  std::vector<std::byte> directory_;
  std::uint16_t members_ = 0;
};

}  // namespace tinta::io
