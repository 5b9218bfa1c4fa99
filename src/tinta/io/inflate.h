#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tinta::io {

enum class Packing {
  gzip,     ///< RFC 1952, one or more members, checksums verified
  deflate,  ///< RFC 1951, bare
};

/// A deflated stream unpacked piece by piece, so that memory follows what is really there and not
/// what a header promises.
class Inflater {
 public:
  /// @param packed must outlive this object
  /// @param path   named in errors
  /// @param origin offset of `packed` within the file
  Inflater(std::span<const std::byte> packed, Packing packing, std::string path,
           std::uint64_t origin = 0);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out` from its front. @return bytes written; fewer than asked only at the stream's end
  /// @throws DataError on a broken or truncated stream, or bytes that follow its end
  std::size_t read(std::span<std::byte> out);

  /// Appends up to `count` bytes; the vector's capacity stays below twice what was unpacked, plus
  /// 64 KiB. @return bytes appended
  std::uint64_t append_to(std::vector<std::byte>& out, std::uint64_t count);

  /// True when nothing more can be unpacked; checksums have then been verified.
  bool at_end();

 private:
  void feed();
  void finish_member();
  [[noreturn]] void fail(const std::string& what) const;

  z_stream stream_{};
  std::span<const std::byte> unfed_;
  Packing packing_;
  std::string path_;
  std::uint64_t end_offset_;
  bool ended_ = false;
};

/// Bare deflate of the bytes at zlib's default level. @throws SystemError when zlib fails
std::vector<std::byte> deflate_bytes(std::span<const std::byte> bytes);

/// The CRC-32 of zip, gzip and PNG.
std::uint32_t crc32_of(std::span<const std::byte> bytes);

}  // namespace tinta::io
