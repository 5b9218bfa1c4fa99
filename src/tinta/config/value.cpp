#include "tinta/config/value.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

#include "tinta/core/text.h"

namespace tinta::config {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

template <class Number>
bool number_from(std::string_view text, Number& value) {
  const std::string_view digits = trimmed(text);
  Number read{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), read);
  if (error != std::errc{} || end != digits.data() + digits.size()) return false;
  value = read;
  return true;
}

template <class Number>
std::string list_text(const std::vector<Number>& list) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) out += (i > 0 ? ", " : "") + to_text(list[i]);
  return out + "]";
}

template <class Number>
bool list_from(std::string_view text, std::vector<Number>& list) {
  std::string_view inside = trimmed(text);
  if (!inside.empty() && inside.front() == '[') {
    if (inside.back() != ']' || inside.size() < 2) return false;
    inside = trimmed(inside.substr(1, inside.size() - 2));
  }
  std::vector<Number> read;
  for (const std::string& part : split(inside, ',')) {
    if (!number_from(part, read.emplace_back())) return false;
  }
  list = std::move(read);
  return true;
}

/// Length of the UTF-8 sequence at the start of `bytes` (not empty), 0 when it is not one.
/// Source: The Unicode Standard, table 3-7.
std::size_t utf8_length(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

void append_escaped(std::string& out, std::string_view character) {
  const auto byte = static_cast<unsigned char>(character.front());
  if (byte == '"' || byte == '\\') {
    out += '\\';
    out += character;
  } else if (byte < 0x20 || byte == 0x7F) {
    std::array<char, 8> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(byte));
    out += escape.data();
  } else {
    out += character;
  }
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string to_text(const std::string& value) {
  std::string out = "\"";
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      rest.remove_prefix(1);
    } else {
      append_escaped(out, rest.substr(0, length));
      rest.remove_prefix(length);
    }
  }
  return out + "\"";
}

std::string to_text(std::int64_t value) { return std::to_string(value); }

std::string to_text(std::uint64_t value) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::string digits = std::to_string(value);
  return value <= kLargest ? digits : "\"" + digits + "\"";
}

std::string to_text(double value) { return shortest(value); }

std::string to_text(bool value) { return value ? "true" : "false"; }

std::string to_text(const std::vector<std::int64_t>& value) { return list_text(value); }

std::string to_text(const std::vector<double>& value) { return list_text(value); }

bool from_text(std::string_view text, std::string& value) {
  std::string_view plain = trimmed(text);
  if (plain.size() >= 2 && (plain.front() == '"' || plain.front() == '\'') &&
      plain.back() == plain.front()) {
    plain = plain.substr(1, plain.size() - 2);
  }
  value = plain;
  return true;
}

bool from_text(std::string_view text, std::int64_t& value) { return number_from(text, value); }

bool from_text(std::string_view text, std::uint64_t& value) { return number_from(text, value); }

bool from_text(std::string_view text, double& value) { return number_from(text, value); }

bool from_text(std::string_view text, bool& value) {
  const std::string_view word = trimmed(text);
  if (word != "true" && word != "false") return false;
  value = word == "true";
  return true;
}

bool from_text(std::string_view text, std::vector<std::int64_t>& value) {
  return list_from(text, value);
}

bool from_text(std::string_view text, std::vector<double>& value) { return list_from(text, value); }

std::string kind_of(const std::string&) { return "text"; }
std::string kind_of(std::int64_t) { return "a whole number"; }
std::string kind_of(std::uint64_t) { return "a whole number of at least 0"; }
std::string kind_of(double) { return "a number"; }
std::string kind_of(bool) { return "true or false"; }
std::string kind_of(const std::vector<std::int64_t>&) { return "a list of whole numbers"; }
std::string kind_of(const std::vector<double>&) { return "a list of numbers"; }

}  // namespace tinta::config
