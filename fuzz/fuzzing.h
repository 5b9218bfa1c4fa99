#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "tinta/core/error.h"

/// What the fuzz targets share. Each defines LLVMFuzzerTestOneInput as one call of check().
namespace tinta::fuzz {

/// Runs a parser on an input. It must return or throw tinta::Error: anything else leaves this
/// function, and libFuzzer keeps the input.
template <class Parse>
int check(const std::uint8_t* data, std::size_t size, Parse&& parse) {
  try {
    parse(std::as_bytes(std::span(data, size)));
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): refusing is what a parser is for
  }
  return 0;
}

/// Stops the run, whatever the build's assertions: a property does not hold.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace tinta::fuzz
