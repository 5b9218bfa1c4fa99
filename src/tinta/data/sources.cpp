#include "tinta/data/sources.h"

#include <algorithm>
#include <cstdint>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/data/arrays.h"
#include "tinta/data/cifar.h"
#include "tinta/data/condor.h"
#include "tinta/data/folder.h"
#include "tinta/data/glyphs.h"
#include "tinta/io/idx.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;

bool recognises_nothing(const fs::path& /*folder*/) { return false; }

std::vector<Split> both_splits(const config::DataConfig& /*config*/) {
  return {Split::train, Split::test};
}

// Far above the index of any training picture.
constexpr std::uint64_t kFirstTestGlyph = std::uint64_t{1} << 32;

Dataset open_glyphs(const config::DataConfig& config, Split split, const Sinks& /*sinks*/,
                    const StopRequested& /*stop*/) {
  if (split == Split::train) {
    return draw_glyphs({.count = config.count, .size = config.size, .seed = config.seed});
  }
  return draw_glyphs({.count = std::max<std::int64_t>(10, config.count / 10),
                      .size = config.size,
                      .seed = config.seed,
                      .first = kFirstTestGlyph});
}

Dataset open_condor(const config::DataConfig& config, Split /*split*/, const Sinks& /*sinks*/,
                    const StopRequested& /*stop*/) {
  return {.name = "condor", .images = draw_condor(config.size, config.size).unsqueeze(0)};
}

std::string idx_prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

bool holds_idx(const fs::path& folder, Split split) {
  const std::string name = idx_prefix(split) + "-images-idx3-ubyte";
  return fs::exists(folder / name) || fs::exists(folder / (name + ".gz"));
}

bool holds_idx(const fs::path& folder) {
  return holds_idx(folder, Split::train) || holds_idx(folder, Split::test);
}

/// The folder itself or, where that holds none of the files, its subfolder "mnist".
fs::path idx_folder(const fs::path& path) {
  return !holds_idx(path) && holds_idx(path / "mnist") ? path / "mnist" : path;
}

std::vector<Split> idx_splits(const config::DataConfig& config) {
  std::vector<Split> found;
  for (const Split split : {Split::train, Split::test}) {
    if (holds_idx(idx_folder(config.path), split)) found.push_back(split);
  }
  return found;
}

void require_path(const config::DataConfig& config) {
  if (config.path.empty()) {
    throw ArgumentError("[data] expected the folder or file of the pictures (data.source = " +
                        config.source + "), got none: pass --data DIR (or set data.path)");
  }
  std::error_code ignored;
  if (!fs::exists(config.path, ignored)) {
    throw ArgumentError("[data] expected a folder or file, got " + config.path +
                        ", which is not there");
  }
}

Dataset open_idx(const config::DataConfig& config, Split split, const Sinks& /*sinks*/,
                 const StopRequested& /*stop*/) {
  require_path(config);
  if (!fs::is_directory(config.path)) {
    throw ArgumentError("[data] expected a folder, got " + config.path);
  }
  io::LabelledImages read = io::read_idx_split(idx_folder(config.path), idx_prefix(split));
  const std::int64_t classes = read.labels.max().item<std::int64_t>() + 1;
  return {.name = "mnist", .images = read.images, .labels = read.labels, .classes = classes};
}

template <io::Cifar kind>
Source cifar_source(const char* name) {
  return {
      .name = name,
      .format = "CIFAR files",
      .built_in = false,
      .recognises = [](const fs::path& path) { return holds_cifar(path, kind); },
      .splits = [](const config::DataConfig& config) { return cifar_splits(config.path, kind); },
      .open =
          [](const config::DataConfig& config, Split split, const Sinks& /*sinks*/,
             const StopRequested& /*stop*/) {
            require_path(config);
            return open_cifar(config.path, split, kind);
          }};
}

Source array_source() {
  return {.name = "arrays",
          .format = "NumPy arrays",
          .built_in = false,
          .recognises = holds_arrays,
          .splits = [](const config::DataConfig& config) { return array_splits(config.path); },
          .open =
              [](const config::DataConfig& config, Split split, const Sinks& sinks,
                 const StopRequested& stop) {
                require_path(config);
                return open_arrays(config, split, sinks, stop);
              }};
}

Source folder_source() {
  return {.name = "folder",
          .format = "PNG, JPEG and WebP files",
          .built_in = false,
          .recognises = holds_pictures,
          .splits = [](const config::DataConfig& config) { return folder_splits(config.path); },
          .open =
              [](const config::DataConfig& config, Split split, const Sinks& sinks,
                 const StopRequested& stop) {
                require_path(config);
                return open_folder(config, split, sinks, stop);
              }};
}

}  // namespace

std::span<const Source> sources() {
  static const std::vector<Source> all = {
      {.name = "glyphs",
       .format = "drawn",
       .built_in = true,
       .recognises = recognises_nothing,
       .splits = both_splits,
       .open = open_glyphs},
      {.name = "condor",
       .format = "drawn",
       .built_in = true,
       .recognises = recognises_nothing,
       .splits = both_splits,
       .open = open_condor},
      {.name = "mnist",
       .format = "IDX files",
       .built_in = false,
       .recognises = [](const fs::path& folder) { return holds_idx(idx_folder(folder)); },
       .splits = idx_splits,
       .open = open_idx},
      cifar_source<io::Cifar::ten>("cifar10"),
      cifar_source<io::Cifar::hundred>("cifar100"),
      array_source(),
      // Last: the folders of the others may hold pictures besides.
      folder_source(),
  };
  return all;
}

const Source& find_source(const std::string& name) {
  std::vector<std::string> names;
  for (const Source& source : sources()) {
    if (source.name == name) return source;
    names.push_back(source.name);
  }
  throw ArgumentError("[data] expected the name of a data source, got \"" + name + "\"" +
                      suggestion(name, names));
}

}  // namespace tinta::data
