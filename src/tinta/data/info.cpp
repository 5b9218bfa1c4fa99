#include "tinta/data/info.h"

#include <ATen/ops/bincount.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>

#include "tinta/core/error.h"
#include "tinta/data/sources.h"

namespace tinta::data {
namespace {

struct Moments {
  double mean, standard_deviation;
};

/// Of one channel, exact up to the last rounding: pixels are counted by value first.
Moments moments(const at::Tensor& images, std::int64_t channel) {
  std::array<std::int64_t, 256> histogram{};
  const std::int64_t plane = images.size(2) * images.size(3);
  const std::uint8_t* const bytes = images.const_data_ptr<std::uint8_t>();
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    const std::uint8_t* const first = bytes + (n * images.size(1) + channel) * plane;
    std::for_each(first, first + plane, [&](std::uint8_t byte) { ++histogram[byte]; });
  }
  const auto total = static_cast<double>(images.size(0) * plane);
  double mean = 0, variance = 0;
  for (std::size_t value = 0; value < histogram.size(); ++value) {
    mean += static_cast<double>(histogram[value]) / total * static_cast<double>(value) / 255;
  }
  for (std::size_t value = 0; value < histogram.size(); ++value) {
    const double deviation = static_cast<double>(value) / 255 - mean;
    variance += static_cast<double>(histogram[value]) / total * deviation * deviation;
  }
  return {mean, std::sqrt(variance)};
}

SplitInfo measure(const Dataset& dataset, Split split) {
  require_valid(dataset);
  SplitInfo info{.name = to_string(split),
                 .count = dataset.size(),
                 .channels = dataset.images.size(1),
                 .height = dataset.images.size(2),
                 .width = dataset.images.size(3)};
  info.class_names = dataset.class_names;
  if (dataset.labels.defined()) {
    const at::Tensor counts = at::bincount(dataset.labels, {}, dataset.classes);
    const std::int64_t* const first = counts.const_data_ptr<std::int64_t>();
    info.class_counts.assign(first, first + counts.numel());
  }
  for (std::int64_t channel = 0; channel < info.channels; ++channel) {
    const auto [mean, standard_deviation] = moments(dataset.images, channel);
    info.mean.push_back(mean);
    info.standard_deviation.push_back(standard_deviation);
  }
  return info;
}

}  // namespace

Description describe(const config::DataConfig& config, const Sinks& sinks) {
  const Source& source = find_source(config.source);
  Description description{
      .source = source.name, .format = source.format, .path = source.built_in ? "" : config.path};
  std::vector<Split> splits = source.splits(config);
  // Nothing there: opening says what is missing.
  if (splits.empty()) splits = {Split::train};
  if (config.validation > 0) splits.insert(splits.begin() + 1, Split::validation);
  for (const Split split : splits) {
    description.splits.push_back(measure(open(config, split, sinks), split));
  }
  return description;
}

Description describe(const std::string& path, const Sinks& sinks) {
  config::DataConfig config = config::preset(detect_source(path)).data;
  config.path = path;
  config.validation = 0;
  return describe(config, sinks);
}

std::string detect_source(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw ArgumentError("[data] expected a folder or file, got \"" + path +
                        "\", which is not there");
  }
  for (const Source& source : sources()) {
    if (source.recognises(path)) return source.name;
  }
  throw DataError(
      path,
      "expected PNG, JPEG or WebP pictures, .npz or .npy, the CIFAR files or archives, or "
      "IDX files (train-images-idx3-ubyte[.gz] and the like), here or in a subfolder "
      "\"mnist\", got none");
}

}  // namespace tinta::data
