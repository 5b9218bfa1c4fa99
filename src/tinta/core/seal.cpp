#include "tinta/core/seal.h"

#include <cstddef>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"

namespace tinta {
namespace {

constexpr std::size_t kDigits = kOpenSeal.size();
static_assert(kDigits == 64);
constexpr std::string_view kHexadecimal = "0123456789abcdef";

/// Where the first run of at least 64 hexadecimal digits begins; npos where there is none.
std::size_t find_seal(std::string_view text) {
  std::size_t at = text.find_first_of(kHexadecimal);
  while (at != std::string_view::npos) {
    std::size_t end = text.find_first_not_of(kHexadecimal, at);
    if (end == std::string_view::npos) end = text.size();
    if (end - at >= kDigits) return at;
    at = text.find_first_of(kHexadecimal, end);
  }
  return std::string_view::npos;
}

}  // namespace

std::string sealed(std::string text) {
  const std::size_t at = text.find(kOpenSeal);
  if (at == std::string::npos) {
    throw ArgumentError("[sealed] expected a text with a place for its seal, got none");
  }
  return text.replace(at, kDigits, sha256(text));
}

bool has_seal(std::string_view text) { return find_seal(text) != std::string_view::npos; }

void require_seal(std::string_view text, const std::string& path) {
  const std::size_t at = find_seal(text);
  if (at == std::string_view::npos) {
    throw DataError(path, "expected a file with its SHA-256 in it, got none: it is damaged");
  }
  std::string open(text);
  open.replace(at, kDigits, kOpenSeal);
  const std::string_view seal = text.substr(at, kDigits);
  const std::string digest = sha256(open);
  if (digest != seal) {
    throw DataError(path, "expected SHA-256 " + std::string(seal) + " as it says itself, got " +
                              digest + ": it is damaged or was changed by hand");
  }
}

}  // namespace tinta
