#include "tinta/data/pack_file.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"
#include "tinta/io/byte_reader.h"

namespace tinta::data {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "TINTAPK1";
constexpr std::size_t kDigest = 64;
constexpr std::size_t kFixed = 80;
constexpr std::uint64_t kPage = 4096;

std::string json_of(const PackHeader& header) {
  return json{{"content", header.content},   {"count", header.count},
              {"channels", header.channels}, {"height", header.height},
              {"width", header.width},       {"labelled", !header.labels.empty()},
              {"classes", header.classes},   {"class_names", header.class_names},
              {"block", header.block}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

constexpr std::uint64_t up_to(std::uint64_t value, std::uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::uint64_t tables_offset(std::uint64_t json_bytes) { return up_to(kFixed + 8 + json_bytes, 8); }

std::uint64_t tables_bytes(const PackHeader& header, std::uint64_t labels) {
  return 8 * labels + 8 * static_cast<std::uint64_t>(header.count) +
         kDigest * static_cast<std::uint64_t>(header.blocks());
}

template <class Value>
std::span<const std::byte> bytes_of(const std::vector<Value>& values) {
  return std::as_bytes(std::span(values));
}

template <class Value>
std::vector<Value> read_table(io::ByteReader& reader, std::int64_t count, std::string_view what) {
  const auto bytes = reader.take(static_cast<std::uint64_t>(count) * sizeof(Value), what);
  std::vector<Value> values(static_cast<std::size_t>(count));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// What the JSON says; the checksum has been verified, so only another version can have it wrong.
PackHeader parse_json(std::string_view text, const std::string& path) {
  try {
    const json all = json::parse(text);
    PackHeader header{.content = all.at("content"),
                      .count = all.at("count"),
                      .channels = all.at("channels"),
                      .height = all.at("height"),
                      .width = all.at("width"),
                      .classes = all.at("classes"),
                      .class_names = all.at("class_names"),
                      .block = all.at("block")};
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    for (const std::int64_t size : {header.count, header.block, header.channels * header.height,
                                    header.height * header.width, header.picture_bytes()}) {
      if (size < 1 || size > kMost) throw DataError(path, "expected sizes above 0");
    }
    if (all.at("labelled").get<bool>()) header.labels.resize(1);
    return header;
  } catch (const json::exception& error) {
    throw DataError(path,
                    std::string("expected the header of packed pictures, got: ") + error.what());
  }
}

}  // namespace

std::uint64_t pictures_offset(const PackHeader& header) {
  return up_to(tables_offset(json_of(header).size()) + tables_bytes(header, header.labels.size()),
               kPage);
}

std::vector<std::byte> encode_pack_header(const PackHeader& header) {
  const std::string text = json_of(header);
  std::vector<std::byte> after;
  io::append_little_endian(after, std::uint64_t{text.size()});
  io::append(after, text);
  after.resize(static_cast<std::size_t>(tables_offset(text.size())) - kFixed);
  io::append(after, bytes_of(header.labels));
  io::append(after, bytes_of(header.hashes));
  for (const std::string& digest : header.digests) io::append(after, digest);
  const std::uint64_t offset = pictures_offset(header);
  after.resize(static_cast<std::size_t>(offset) - kFixed);

  std::vector<std::byte> all;
  io::append(all, kMagic);
  io::append_little_endian(all, offset);
  io::append(all, sha256(std::span<const std::byte>(after)));
  io::append(all, after);
  return all;
}

PackFile read_pack_header(const std::filesystem::path& path) {
  PackFile pack{.header = {}, .file = std::make_shared<const MappedFile>(path), .pictures = {}};
  const std::span<const std::byte> bytes = pack.file->bytes();
  io::ByteReader reader(bytes, path.string());
  if (reader.text(kMagic.size(), "magic") != kMagic) {
    throw DataError(path.string(), "expected packed pictures, got another magic", 0);
  }
  const auto offset = reader.little_endian<std::uint64_t>("the pictures' offset");
  const std::string_view digest = reader.text(kDigest, "a checksum");
  if (offset < kFixed || offset > bytes.size() || offset % kPage != 0 ||
      sha256(bytes.subspan(kFixed, static_cast<std::size_t>(offset) - kFixed)) != digest) {
    throw DataError(path.string(), "expected the header's checksum, got another", 16);
  }
  const auto length = reader.little_endian<std::uint64_t>("the header's length");
  pack.header = parse_json(reader.text(length, "the header"), path.string());
  PackHeader& header = pack.header;
  reader.take(tables_offset(length) - reader.offset(), "padding");
  if (!header.labels.empty()) {
    header.labels = read_table<std::int64_t>(reader, header.count, "labels");
  }
  header.hashes = read_table<std::uint64_t>(reader, header.count, "hashes");
  for (std::int64_t i = 0; i < header.blocks(); ++i) {
    header.digests.emplace_back(reader.text(kDigest, "checksums"));
  }
  pack.pictures = bytes.subspan(static_cast<std::size_t>(offset));
  const auto promised = static_cast<std::uint64_t>(header.count * header.picture_bytes());
  if (pack.pictures.size() != promised) {
    throw DataError(path.string(),
                    "expected " + std::to_string(promised) + " bytes of pictures, got " +
                        std::to_string(pack.pictures.size()),
                    offset);
  }
  return pack;
}

void verify_pictures(const PackFile& pack, const std::string& path, const StopRequested& stop) {
  const PackHeader& header = pack.header;
  const auto block = static_cast<std::size_t>(header.block * header.picture_bytes());
  std::vector<char> damaged(header.digests.size(), 0);
  std::atomic<bool> stopped = false;
  at::parallel_for(0, header.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      if (stopped || (stop && stop())) {
        stopped = true;
        break;
      }
      const auto rest = pack.pictures.subspan(i * block);
      damaged[i] = sha256(rest.first(std::min(block, rest.size()))) != header.digests[i] ? 1 : 0;
    }
  });
  if (stopped) throw Stopped{};
  const auto first = std::ranges::find(damaged, 1);
  if (first == damaged.end()) return;
  const auto offset = static_cast<std::uint64_t>(pack.pictures.data() - pack.file->bytes().data());
  throw DataError(path, "expected pictures with the checksum that they were written with",
                  offset + block * static_cast<std::uint64_t>(first - damaged.begin()));
}

}  // namespace tinta::data
