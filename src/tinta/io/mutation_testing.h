#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/philox.h"

/// For tests of parsers: damages a good file in thousands of ways, the same ones in every run.
namespace tinta::io::testing {

/// A damaged copy: one to four flipped bytes, a cut end, an overwritten run, or bytes put in.
inline std::vector<std::byte> mutated(std::span<const std::byte> good, std::uint64_t sample) {
  const RandomKey key{.seed = 7, .stream = Stream::test, .sample = sample};
  std::uint32_t draws = 0;
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(random_below(key, n, draws++));
  };
  std::vector<std::byte> bytes(good.begin(), good.end());
  switch (below(4)) {
    case 0:
      for (std::size_t flips = 1 + below(4); flips > 0; --flips) {
        bytes[below(bytes.size())] ^= static_cast<std::byte>(1u << below(8));
      }
      break;
    case 1:
      bytes.resize(below(bytes.size()));
      break;
    case 2: {
      // Runs of 0x00 and 0xFF hit sizes where they hurt most.
      const std::size_t begin = below(bytes.size());
      const std::size_t length = std::min<std::size_t>(1 + below(8), bytes.size() - begin);
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), length,
                  below(2) == 0 ? std::byte{0} : std::byte{0xFF});
      break;
    }
    default: {
      const auto place = static_cast<std::ptrdiff_t>(below(bytes.size() + 1));
      bytes.insert(bytes.begin() + place, 1 + below(8), static_cast<std::byte>(below(256)));
    }
  }
  return bytes;
}

/// Feeds `cases` damaged copies to a parser, which must accept them or throw DataError; anything
/// else fails the test.
/// @return how many were refused
inline int refusals(std::span<const std::byte> good, int cases,
                    const std::function<void(std::span<const std::byte>)>& parse) {
  int refused = 0;
  for (int i = 0; i < cases; ++i) {
    const std::vector<std::byte> bytes = mutated(good, static_cast<std::uint64_t>(i));
    try {
      parse(bytes);
    } catch (const DataError&) {
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "case " << i << " escaped as: " << error.what();
    }
  }
  return refused;
}

}  // namespace tinta::io::testing
