#include "tinta/io/png_chunks.h"

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/inflate.h"

namespace tinta::io {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";

}  // namespace

std::vector<PngChunk> png_chunks(std::span<const std::byte> bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  if (reader.text(kSignature.size(), "PNG signature") != kSignature) {
    throw DataError(path, "expected a PNG file, got another signature", 0);
  }
  std::vector<PngChunk> chunks;
  do {
    const auto length = reader.big_endian<std::uint32_t>("PNG chunk length");
    const std::uint64_t start = reader.offset();
    PngChunk chunk;
    chunk.type = reader.text(4, "PNG chunk type");
    chunk.offset = reader.offset();
    chunk.data = reader.take(length, "PNG chunk " + shown(chunk.type));
    const std::uint32_t crc = crc32_of(bytes.subspan(start, 4 + std::size_t{length}));
    if (reader.big_endian<std::uint32_t>("PNG chunk CRC") != crc) {
      throw DataError(path,
                      "expected PNG chunk " + shown(chunk.type) + " to match its CRC, got another",
                      start);
    }
    if (chunks.empty() && chunk.type != "IHDR") {
      throw DataError(path, "expected PNG chunk IHDR first, got " + shown(chunk.type), start);
    }
    chunks.push_back(chunk);
  } while (chunks.back().type != "IEND");
  return chunks;
}

}  // namespace tinta::io
