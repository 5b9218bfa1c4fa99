#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tinta::io {

/// Parses JSON that must be one value, with no key twice in an object and no more than `max_depth`
/// objects and arrays inside each other.
/// @param path   named in errors
/// @param origin offset of `text` within the file
/// @throws DataError with the byte offset; a repeated key is named and has the offset of `text`
nlohmann::json parse_strict_json(std::string_view text, const std::string& path,
                                 std::uint64_t origin, std::size_t max_depth);

}  // namespace tinta::io
