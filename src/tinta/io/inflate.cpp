#include "tinta/io/inflate.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::io {
namespace {

// zlib counts in unsigned int; larger buffers are passed in parts.
constexpr std::size_t kPart = std::size_t{1} << 30;

Bytef* zlib_pointer(std::span<const std::byte> bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

Inflater::Inflater(std::span<const std::byte> packed, Packing packing, std::string path,
                   std::uint64_t origin)
    : unfed_(packed),
      packing_(packing),
      path_(std::move(path)),
      end_offset_(origin + packed.size()) {
  const int window_bits = packing == Packing::gzip ? 15 + 16 : -15;
  if (inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(&stream_); }

void Inflater::fail(const std::string& what) const {
  throw DataError(path_, what, end_offset_ - unfed_.size() - stream_.avail_in);
}

void Inflater::feed() {
  if (stream_.avail_in > 0) return;
  const auto part = unfed_.first(std::min(unfed_.size(), kPart));
  stream_.next_in = zlib_pointer(part);
  stream_.avail_in = static_cast<uInt>(part.size());
  unfed_ = unfed_.subspan(part.size());
}

void Inflater::finish_member() {
  feed();
  ended_ = stream_.avail_in == 0;
  if (ended_) return;
  // A gzip file is a series of members; any other byte that follows belongs to nothing.
  if (packing_ != Packing::gzip || *stream_.next_in != 0x1f) {
    fail("expected the packed data to end, got more bytes");
  }
  inflateReset(&stream_);
}

std::size_t Inflater::read(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && !ended_) {
    feed();
    const std::size_t room = std::min(out.size() - done, kPart);
    stream_.next_out = zlib_pointer(out.subspan(done));
    stream_.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    done += room - stream_.avail_out;
    if (status == Z_STREAM_END) {
      finish_member();
    } else if (status == Z_BUF_ERROR) {
      fail("expected more packed data, got the end of the file");
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK) {
      const char* reason = stream_.msg != nullptr ? stream_.msg : "a preset dictionary";
      fail("expected well-formed packed data, got " + std::string(reason));
    }
  }
  return done;
}

std::uint64_t Inflater::append_to(std::vector<std::byte>& out, std::uint64_t count) {
  const std::size_t before = out.size();
  const std::uint64_t goal = before + count;
  for (std::size_t filled = before; filled < goal;) {
    const std::uint64_t next =
        std::min<std::uint64_t>(goal, std::max<std::size_t>(2 * filled, 65536));
    out.resize(static_cast<std::size_t>(next));
    const std::size_t got = read(std::span(out).subspan(filled));
    filled += got;
    if (filled < next) {
      out.resize(filled);
      break;
    }
  }
  return out.size() - before;
}

bool Inflater::at_end() {
  std::array<std::byte, 1> one{};
  return read(one) == 0;
}

std::vector<std::byte> deflate_bytes(std::span<const std::byte> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  std::vector<std::byte> out(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  std::size_t written = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    if (stream.avail_in == 0) {
      const auto part = bytes.first(std::min(bytes.size(), kPart));
      stream.next_in = zlib_pointer(part);
      stream.avail_in = static_cast<uInt>(part.size());
      bytes = bytes.subspan(part.size());
    }
    const std::size_t room = std::min(out.size() - written, kPart);
    stream.next_out = zlib_pointer(std::span(out).subspan(written));
    stream.avail_out = static_cast<uInt>(room);
    status = ::deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    written += room - stream.avail_out;
  }
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw SystemError("[deflate_bytes] zlib could not pack the data");
  out.resize(written);
  return out;
}

std::uint32_t crc32_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, zlib_pointer(bytes), bytes.size()));
}

}  // namespace tinta::io
