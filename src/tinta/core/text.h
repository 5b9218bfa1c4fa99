#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinta {

/// The candidate nearest to `word` by edit distance (case and -/_ do not count), or "" when none is
/// near enough to be what was meant.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// ": did you mean \"...\"?" or, where nothing is near, "; known: a, b, c".
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

/// The shortest decimal text that reads back as the same double; always has '.', 'e', "nan" or
/// "inf".
std::string shortest(double value);

/// `value` with `digits` after the point.
std::string fixed(double value, int digits);

std::string join(std::span<const std::string> parts, std::string_view separator);

/// Parts between separators, spaces trimmed; an empty text gives no parts.
std::vector<std::string> split(std::string_view text, char separator);

/// A word as a shell reads it back: in quotes where it needs them.
std::string shell_word(std::string_view word);

/// "8 s", "3 min 20 s", "2 h 05 min".
std::string duration(double seconds);

}  // namespace tinta
