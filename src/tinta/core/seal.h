#pragma once

#include <string>
#include <string_view>

// A text file that carries its own SHA-256, so that a byte that is flipped, lost or added anywhere
// in it is noticed, and that is replaced in one piece with its sum. The sum stands where it was
// written, as 64 hexadecimal digits; it is that of the text with zeros in its place.

namespace tinta {

/// What stands in a text where its seal is to go: "0000...".
inline constexpr std::string_view kOpenSeal =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// Puts the seal in the place of the first kOpenSeal of a text. @throws ArgumentError where there
/// is none
std::string sealed(std::string text);

/// Whether there is a seal in a text, right or wrong.
bool has_seal(std::string_view text);

/// Checks a file's text against its seal: the first 64 hexadecimal digits in a row.
/// @param path named in errors
/// @throws DataError when there is no seal, or another one than the text has
void require_seal(std::string_view text, const std::string& path);

}  // namespace tinta
