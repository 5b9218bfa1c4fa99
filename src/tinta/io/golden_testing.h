#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"

/// For tests of parsers: golden files, which tests/golden/make_io_golden.py makes.
namespace tinta::io::testing {

inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(TINTA_SOURCE_DIR) / "tests/golden/io" / name;
}

inline std::vector<std::byte> golden(const std::string& name) {
  return read_bytes(golden_path(name));
}

/// The message of the DataError that `parse` throws; "no error" when it throws none.
inline std::string refusal(const std::function<void()>& parse) {
  try {
    parse();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tinta::io::testing
