#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/embedded.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"

namespace tinta::config {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const EmbeddedPreset& preset : embedded_presets()) names.emplace_back(preset.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string_view preset_toml(std::string_view name) {
  for (const EmbeddedPreset& preset : embedded_presets()) {
    if (preset.name == name) return preset.toml;
  }
  throw ArgumentError("[config] expected a preset, got " + to_text(std::string(name)) +
                      suggestion(name, preset_names()));
}

RunConfig preset(std::string_view name) {
  return parse(preset_toml(name), "preset " + std::string(name));
}

std::string preset_summary(std::string_view name) {
  const std::string_view toml = preset_toml(name);
  const std::string_view line = toml.substr(0, toml.find('\n'));
  const std::size_t text = line.find_first_not_of("# ");
  return text == std::string_view::npos ? std::string() : std::string(line.substr(text));
}

RunConfig preset_or_file(const std::string& name_or_path) {
  const std::vector<std::string> names = preset_names();
  if (std::find(names.begin(), names.end(), name_or_path) != names.end()) {
    return preset(name_or_path);
  }
  std::filesystem::path path(name_or_path);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) path /= "config.toml";
  if (std::filesystem::exists(path, ignored)) return parse(read_text(path), path.string());
  if (path != std::filesystem::path(name_or_path)) {
    throw ArgumentError("[config] expected a run folder, got " + to_text(name_or_path) +
                        ", which holds no config.toml");
  }
  if (path.has_parent_path() || path.extension() == ".toml") {
    throw ArgumentError("[config] expected a file or run folder, got " + to_text(name_or_path) +
                        ", which does not exist");
  }
  throw ArgumentError("[config] expected a preset, a .toml file or a run folder, got " +
                      to_text(name_or_path) + suggestion(name_or_path, names));
}

RunConfig resolved(const std::string& name_or_path, std::span<const std::string> overrides) {
  RunConfig config = preset_or_file(name_or_path);
  for (const std::string& assignment : overrides) set(config, assignment);
  return config;
}

}  // namespace tinta::config
