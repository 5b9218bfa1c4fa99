#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"

// What `tinta data info` says, without torch.

namespace tinta::data {

struct SplitInfo {
  std::string name;  ///< "train" | "validation" | "test"
  std::int64_t count = 0;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::int64_t> class_counts{};  ///< pictures of each class; empty without labels
  std::vector<double> mean{};                ///< of each channel's pixels, bytes / 255
  std::vector<double> standard_deviation{};  ///< likewise, over all pixels (not N - 1)
  std::vector<std::string> class_names{};    ///< as Dataset's
};

struct Description {
  std::string source;  ///< "mnist"
  std::string format;  ///< "IDX files" | "drawn"
  std::string path{};  ///< "" for built-in data
  std::vector<SplitInfo> splits{};
};

/// Opens every split that is there and measures it.
/// @throws ArgumentError / DataError / SystemError as open() does
Description describe(const config::DataConfig& config, const Sinks& sinks = {});

/// Describes what is in a folder or file, brought to the size that the preset named as its source
/// has. @throws as detect_source() and describe() do
Description describe(const std::string& path, const Sinks& sinks = {});

/// The source whose files a folder holds, or that a file belongs to.
/// @throws ArgumentError when there is no such thing, DataError when no source knows it
std::string detect_source(const std::string& path);

}  // namespace tinta::data
