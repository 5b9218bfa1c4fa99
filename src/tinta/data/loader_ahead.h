#pragma once

#include <cstdint>
#include <future>

#include "tinta/data/loader.h"

namespace tinta::data {

/// A loader's batches, each made by another thread while the one before is in use: for a GPU, which
/// leaves the processor's cores idle. Where these compute the step themselves, a thread that loads
/// would take from them what it gives.
class LoaderAhead {
 public:
  /// @param loader kept by reference
  explicit LoaderAhead(const Loader& loader) : loader_(loader) {}

  /// Loader::part(), and begins the same part of the next step. @throws as that does
  Batch part(std::uint64_t step, std::int64_t first, std::int64_t count);

 private:
  struct Wanted {
    std::uint64_t step = 0;
    std::int64_t first = 0;
    std::int64_t count = 0;
    bool operator==(const Wanted&) const = default;
  };

  const Loader& loader_;
  Wanted begun_;
  std::future<Batch> next_;  // of what is begun; invalid before the first
};

}  // namespace tinta::data
