#include "tinta/config/names.h"

#include <algorithm>

namespace tinta::config {

using Names = std::vector<std::string>;

const std::vector<Source>& sources() {
  static const std::vector<Source> all = {
      {"glyphs", Origin::drawn, true, 1, 10, "digits 0-9 drawn from strokes, any number, by seed"},
      {"condor", Origin::drawn, true, 3, 0, "one condor over a ridge at dusk, any size"},
      {"mnist", Origin::files, true, 1, -1, "a folder of MNIST-family IDX files, plain or gzip"},
      {"cifar10", Origin::files, true, 3, 10, "CIFAR-10 (its files cannot be read yet)", false},
      {"moons", Origin::drawn, false, 0, 0, "two interleaved half circles"},
      {"rings", Origin::drawn, false, 0, 0, "concentric circles"},
      {"swiss-roll", Origin::drawn, false, 0, 0, "a spiral"},
      {"gaussians", Origin::drawn, false, 0, 0, "a ring of Gaussian spots"},
      {"checkerboard", Origin::drawn, false, 0, 0, "the dark squares of a board"},
  };
  return all;
}

const Source* find_source(const std::string& name) {
  const auto found = std::find_if(sources().begin(), sources().end(),
                                  [&](const Source& source) { return source.name == name; });
  return found == sources().end() ? nullptr : &*found;
}

const Names& picture_source_names() {
  static const Names names = [] {
    Names out;
    for (const Source& source : sources()) {
      if (source.pictures) out.push_back(source.name);
    }
    return out;
  }();
  return names;
}

const Names& sampler_names() {
  static const Names names = {"ddpm", "ddim"};
  return names;
}

const Names& variance_names() {
  static const Names names = {"posterior", "beta"};
  return names;
}

const Names& schedule_names() {
  static const Names names = {"linear"};
  return names;
}

const Names& prediction_names() {
  static const Names names = {"eps", "x0", "v"};
  return names;
}

const Names& precision_names() {
  static const Names names = {"auto", "bf16", "fp32"};
  return names;
}

const Names& decay_names() {
  static const Names names = {"constant", "cosine"};
  return names;
}

const Names& time_conditioning_names() {
  static const Names names = {"shift", "scale-shift"};
  return names;
}

const Names& time_order_names() {
  static const Names names = {"sin-cos", "cos-sin"};
  return names;
}

const Names& downsample_names() {
  static const Names names = {"asymmetric", "symmetric"};
  return names;
}

}  // namespace tinta::config
