#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One value of a config as text: what TOML shows, and what --set and environment variables hold.

namespace tinta::config {

/// TOML text of a value. Text that is not UTF-8 gets U+FFFD in place of its bad bytes.
std::string to_text(const std::string& value);
std::string to_text(std::int64_t value);
std::string to_text(std::uint64_t value);  ///< quoted from 2^63 on
std::string to_text(double value);         ///< the shortest that reads back as the same double
std::string to_text(bool value);
std::string to_text(const std::vector<std::int64_t>& value);
std::string to_text(const std::vector<double>& value);

/// Reads the whole of a text; false when it is not of that kind, and then `value` is left alone.
/// Text may be quoted; lists are "[1, 2]" or "1,2"; spaces around values do not count.
bool from_text(std::string_view text, std::string& value);
bool from_text(std::string_view text, std::int64_t& value);
bool from_text(std::string_view text, std::uint64_t& value);
bool from_text(std::string_view text, double& value);
bool from_text(std::string_view text, bool& value);
bool from_text(std::string_view text, std::vector<std::int64_t>& value);
bool from_text(std::string_view text, std::vector<double>& value);

/// What a key of that kind expects: "a whole number", "true or false".
std::string kind_of(const std::string&);
std::string kind_of(std::int64_t);
std::string kind_of(std::uint64_t);
std::string kind_of(double);
std::string kind_of(bool);
std::string kind_of(const std::vector<std::int64_t>&);
std::string kind_of(const std::vector<double>&);

/// Whether bytes are UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view bytes);

}  // namespace tinta::config
