#pragma once

#include <span>
#include <string_view>

namespace tinta::config {

/// A file of presets/, as it was when the program was built.
struct EmbeddedPreset {
  std::string_view name;  ///< the file's name without .toml
  std::string_view toml;
};

/// All of them. Defined in a source that cmake/EmbedPresets.cmake writes.
std::span<const EmbeddedPreset> embedded_presets();

}  // namespace tinta::config
