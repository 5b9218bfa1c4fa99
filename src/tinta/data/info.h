#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/config/config.h"

// What `tinta data info` says, without torch.

namespace tinta::data {

struct SplitInfo {
  std::string name;  ///< "train" | "test"
  std::int64_t count = 0;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::int64_t> class_counts{};  ///< pictures of each class; empty without labels
  std::vector<double> mean{};                ///< of each channel's pixels, bytes / 255
  std::vector<double> standard_deviation{};  ///< likewise, over all pixels (not N - 1)
};

struct Description {
  std::string source;  ///< "mnist"
  std::string format;  ///< "IDX files" | "drawn"
  std::string path{};  ///< "" for built-in data
  std::vector<SplitInfo> splits{};
};

/// Opens every split that is there and measures it.
/// @throws ArgumentError / DataError / SystemError as open() does
Description describe(const config::DataConfig& config);

/// Describes what is in a folder. @throws as detect_source() and describe() do
Description describe(const std::string& path);

/// The source whose files a folder holds.
/// @throws ArgumentError when there is no such folder, DataError when no source knows its files
std::string detect_source(const std::string& path);

}  // namespace tinta::data
