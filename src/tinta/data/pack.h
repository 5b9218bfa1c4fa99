#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"

// Pictures that take work to read are decoded and resized once, into one file that is then mapped
// into memory: the machine reads what is touched, so a set may be larger than memory.

namespace tinta::data {

/// What a packed file is of.
struct PackKey {
  std::string place;    ///< where the pictures are and what becomes of them; names the file
  std::string content;  ///< what the pictures are (names, sizes, times): another packs them again
};

/// The pictures to pack.
struct PackSource {
  std::int64_t count = 0;
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<std::int64_t> labels{};  ///< one each; empty without
  std::vector<std::string> class_names{};
  std::int64_t classes = 0;

  /// A hash of what the picture with this index is, wherever it lies; called from several threads.
  std::function<std::uint64_t(std::int64_t)> hash{};
  /// The picture, [C,H,W] uint8; called from several threads.
  std::function<at::Tensor(std::int64_t)> picture{};
};

/// The folder of packed files: $TINTA_CACHE, or $XDG_CACHE_HOME/tinta, or ~/.cache/tinta.
std::filesystem::path cache_folder();

/// Opens the packed file of `key` in a folder; where there is none, or it is of other content, or
/// damaged, calls `source` and packs its pictures. All of the file is read and compared with its
/// checksums. The pictures lie in the order of their hashes, with `hashes` set.
/// @param stop asked before each picture; a file that is not whole then leaves nothing behind
/// @throws DataError naming the first picture that cannot be read, SystemError when the file cannot
///         be written, Stopped, and as `source` does
Dataset packed(const std::filesystem::path& folder, const PackKey& key,
               const std::function<PackSource()>& source, const Sinks& sinks,
               const StopRequested& stop = {});

}  // namespace tinta::data
