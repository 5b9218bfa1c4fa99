#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/data/dataset.h"

namespace tinta::data {

/// One place where pictures come from. A new data set is one more entry in sources.cpp.
struct Source {
  std::string name;    ///< what DataConfig::source says; config/names.h describes it to people
  std::string format;  ///< how the pictures are stored
  bool built_in;       ///< drawn by our own code: needs no path

  /// Whether a folder or file holds data of this kind; never for built-in ones.
  bool (*recognises)(const std::filesystem::path& path);
  /// The splits that are there.
  std::vector<Split> (*splits)(const config::DataConfig& config);
  /// @param split train or test
  Dataset (*open)(const config::DataConfig& config, Split split, const Sinks& sinks,
                  const StopRequested& stop);
};

std::span<const Source> sources();

/// @throws ArgumentError, nearest name suggested
const Source& find_source(const std::string& name);

}  // namespace tinta::data
