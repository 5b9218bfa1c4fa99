#include "tinta/io/idx.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/inflate.h"
#include "tinta/io/tensor_bytes.h"

namespace tinta::io {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxRank = 4;
constexpr std::uint32_t kUnsignedByte = 0x08;

struct Header {
  std::vector<std::int64_t> sizes;
  std::size_t length = 0;            // bytes of the header itself
  std::uint64_t promised_bytes = 0;  // bytes of data that must follow
};

// @param first the first bytes of the unpacked file, kMaxHeader of them or all there are
constexpr std::size_t kMaxHeader = 4 + 4 * kMaxRank;
Header parse_header(std::span<const std::byte> first, const std::string& path) {
  ByteReader reader(first, path);
  const auto magic = reader.big_endian<std::uint32_t>("IDX magic");
  if (magic >> 16 != 0) {
    throw DataError(path, "expected an IDX file, which begins with two zero bytes, got others", 0);
  }
  if ((magic >> 8 & 0xFF) != kUnsignedByte) {
    throw DataError(
        path, "expected element type 8 (unsigned byte), got " + std::to_string(magic >> 8 & 0xFF),
        2);
  }
  const std::uint32_t rank = magic & 0xFF;
  if (rank < 1 || rank > kMaxRank) {
    throw DataError(path, "expected 1 to 4 dimensions, got " + std::to_string(rank), 3);
  }
  Header header;
  for (std::uint32_t i = 0; i < rank; ++i) {
    const std::uint64_t offset = reader.offset();
    header.sizes.push_back(reader.big_endian<std::uint32_t>("IDX sizes"));
    if (header.sizes.back() == 0)
      throw DataError(path, "expected a size of at least 1, got 0", offset);
  }
  const auto bytes = byte_count(header.sizes, 1);
  if (!bytes) throw DataError(path, "expected sizes whose product fits 63 bits, got more", 4);
  header.length = first.size() - reader.remaining();
  header.promised_bytes = *bytes;
  return header;
}

[[noreturn]] void fail_length(const std::string& path, const Header& header,
                              const std::string& found, std::uint64_t found_bytes) {
  throw DataError(path,
                  "expected " + std::to_string(header.promised_bytes) +
                      " bytes of data as the header's sizes say, got " + found,
                  header.length + std::min(found_bytes, header.promised_bytes));
}

IdxArray parse_plain(std::span<const std::byte> bytes, const std::string& path) {
  Header header = parse_header(bytes.first(std::min(bytes.size(), kMaxHeader)), path);
  const auto data = bytes.subspan(header.length);
  if (data.size() != header.promised_bytes) {
    fail_length(path, header, std::to_string(data.size()), data.size());
  }
  return {std::move(header.sizes), {data.begin(), data.end()}};
}

IdxArray parse_gzip(std::span<const std::byte> packed, const std::string& file) {
  const std::string unpacked = file + "(unpacked)";
  Inflater stream(packed, Packing::gzip, file);
  std::array<std::byte, kMaxHeader> buffer{};
  const auto first = std::span(buffer).first(stream.read(buffer));
  Header header = parse_header(first, unpacked);
  const auto begun = first.subspan(header.length);
  if (begun.size() > header.promised_bytes) fail_length(unpacked, header, "more", begun.size());

  IdxArray array{std::move(header.sizes), {begun.begin(), begun.end()}};
  stream.append_to(array.bytes, header.promised_bytes - begun.size());
  if (array.bytes.size() < header.promised_bytes) {
    fail_length(unpacked, header, std::to_string(array.bytes.size()), array.bytes.size());
  }
  if (!stream.at_end()) fail_length(unpacked, header, "more", array.bytes.size());
  return array;
}

IdxArray read_with_rank(const fs::path& folder, const std::string& stem, std::size_t rank) {
  const fs::path plain = folder / stem;
  const fs::path packed = folder / (stem + ".gz");
  std::error_code ignored;
  const fs::path& path = fs::exists(plain, ignored) ? plain : packed;
  if (!fs::exists(path, ignored)) {
    throw DataError(folder.string(), "expected " + stem + " or " + stem + ".gz, got neither");
  }
  IdxArray array = read_idx(path);
  if (array.sizes.size() != rank) {
    throw DataError(path.string(),
                    "expected " + std::to_string(rank) + " dimensions, got " +
                        std::to_string(array.sizes.size()),
                    3);
  }
  return array;
}

}  // namespace

IdxArray parse_idx(std::span<const std::byte> bytes, const std::string& path) {
  const bool gzip = bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
  return gzip ? parse_gzip(bytes, path) : parse_plain(bytes, path);
}

IdxArray read_idx(const fs::path& path) { return parse_idx(read_bytes(path), path.string()); }

LabelledImages read_idx_split(const fs::path& folder, const std::string& prefix) {
  const IdxArray images = read_with_rank(folder, prefix + "-images-idx3-ubyte", 3);
  const IdxArray labels = read_with_rank(folder, prefix + "-labels-idx1-ubyte", 1);
  const std::int64_t count = images.sizes[0];
  if (labels.sizes[0] != count) {
    throw DataError((folder / prefix).string(),
                    "expected as many labels as images, got " + std::to_string(labels.sizes[0]) +
                        " labels and " + std::to_string(count) + " images");
  }
  LabelledImages split{.images = at::empty({count, 1, images.sizes[1], images.sizes[2]}, at::kByte),
                       .labels = at::empty({count}, at::kLong)};
  std::memcpy(split.images.mutable_data_ptr(), images.bytes.data(), images.bytes.size());
  std::transform(labels.bytes.begin(), labels.bytes.end(),
                 split.labels.mutable_data_ptr<std::int64_t>(),
                 [](std::byte label) { return std::to_integer<std::int64_t>(label); });
  return split;
}

}  // namespace tinta::io
