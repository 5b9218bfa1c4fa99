#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace tinta {

/// Base of every error that the library throws on purpose. Messages read
/// "[where] expected ..., got ...". Only the programs turn errors into exit codes.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller's fault: a wrong value, shape, name or combination. Exit code 2.
class ArgumentError : public Error {
 public:
  using Error::Error;
};

/// A file whose content is not what its format or its checksum says. Exit code 1.
class DataError : public Error {
 public:
  /// @param path   the file
  /// @param what   "expected ..., got ..."
  /// @param offset byte offset of the fault, where one is known
  DataError(const std::string& path, const std::string& what,
            std::optional<std::uint64_t> offset = std::nullopt);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return offset_; }

 private:
  std::string path_;
  std::optional<std::uint64_t> offset_;
};

/// A machine that does not do what was asked of it: disk full, no permission, peer gone. Exit
/// code 1.
class SystemError : public Error {
 public:
  using Error::Error;
  /// Appends the text of `error_number` (an errno value) to `what`.
  SystemError(const std::string& what, int error_number);
};

/// Training met a loss or gradient that is not finite. Exit code 3.
class NonFiniteError : public Error {
 public:
  using Error::Error;
};

}  // namespace tinta
