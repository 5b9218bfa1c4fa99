#include "tinta/config/names.h"

#include <algorithm>

namespace tinta::config {

using Names = std::vector<std::string>;

const std::vector<Source>& sources() {
  static const std::vector<Source> all = {
      {"glyphs", Origin::drawn, true, 1, 10, "digits 0-9 drawn from strokes, any number, by seed",
       true},
      {"condor", Origin::drawn, true, 3, 0, "one condor over a ridge at dusk, any size", true},
      {"mnist", Origin::files, true, 1, -1, "a folder of MNIST-family IDX files, plain or gzip"},
      {"cifar10", Origin::files, true, 3, 10,
       "CIFAR-10, binary or Python version, or their .tar.gz"},
      {"cifar100", Origin::files, true, 3, 100, "CIFAR-100, likewise, with its fine labels"},
      {"arrays", Origin::files, true, -1, -1, "pictures as bytes in .npz (images, labels) or .npy",
       true},
      {"folder", Origin::files, true, -1, -1,
       "PNG, JPEG and WebP pictures of any sizes; subfolders are classes", true},
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

const Names& downloadable_names() {
  static const Names names = {"mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100"};
  return names;
}

const Names& sampler_names() {
  static const Names names = {"ddpm", "ddim", "heun"};
  return names;
}

const Names& variance_names() {
  static const Names names = {"posterior", "beta"};
  return names;
}

const Names& inpaint_method_names() {
  static const Names names = {"repaint", "replace"};
  return names;
}

const Names& schedule_names() {
  static const Names names = {"linear", "cosine", "edm"};
  return names;
}

const Names& prediction_names() {
  static const Names names = {"eps", "x0", "v", "edm"};
  return names;
}

const Names& precision_names() {
  static const Names names = {"auto", "bf16", "fp16", "fp32"};
  return names;
}

const Names& decay_names() {
  static const Names names = {"constant", "cosine", "inverse-sqrt"};
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

const Names& metric_names() {
  static const Names names = {"recognised"};
  return names;
}

const Names& resample_names() {
  static const Names names = {"convolution", "residual"};
  return names;
}

const Names& up_attention_names() {
  static const Names names = {"every", "last"};
  return names;
}

const Names& conditioning_names() {
  static const Names names = {"embedding", "features"};
  return names;
}

}  // namespace tinta::config
