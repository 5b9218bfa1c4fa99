#include <algorithm>
#include <optional>
#include <utility>

#include "tinta/io/byte_reader.h"
#include "tinta/io/png.h"
#include "tinta/io/png_chunks.h"

namespace tinta::io {
namespace {

std::string utf8_from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

// Takes what comes before the next zero byte, and the zero byte; everything when there is none.
std::string_view take_field(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return field;
}

}  // namespace

std::map<std::string, std::string> png_text(std::span<const std::byte> bytes,
                                            const std::string& path) {
  std::map<std::string, std::string> text;
  for (const PngChunk& chunk : png_chunks(bytes, path)) {
    std::string_view rest{reinterpret_cast<const char*>(chunk.data.data()), chunk.data.size()};
    if (chunk.type == "tEXt") {
      const std::string_view key = take_field(rest);
      text.emplace(utf8_from_latin1(key), utf8_from_latin1(rest));
    } else if (chunk.type == "iTXt") {
      const std::string_view key = take_field(rest);
      // Compression flag and method; then the language and the key in that language.
      const bool plain = rest.size() >= 2 && rest[0] == '\0';
      rest.remove_prefix(std::min<std::size_t>(2, rest.size()));
      take_field(rest);
      take_field(rest);
      if (plain) text.emplace(utf8_from_latin1(key), rest);
    }
  }
  return text;
}

}  // namespace tinta::io
