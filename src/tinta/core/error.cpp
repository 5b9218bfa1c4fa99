#include "tinta/core/error.h"

#include <system_error>

namespace tinta {
namespace {

std::string located(const std::string& path, const std::string& what,
                    std::optional<std::uint64_t> offset) {
  std::string text = "[" + path + "]";
  if (offset) text += " byte " + std::to_string(*offset) + ":";
  return text + " " + what;
}

}  // namespace

DataError::DataError(const std::string& path, const std::string& what,
                     std::optional<std::uint64_t> offset)
    : Error(located(path, what, offset)), path_(path), offset_(offset) {}

SystemError::SystemError(const std::string& what, int error_number)
    : Error(what + ": " + std::generic_category().message(error_number)) {}

}  // namespace tinta
