#include "tinta/data/dataset.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/held_out.h"
#include "tinta/data/sources.h"

namespace tinta::data {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& expected,
                         const std::string& got) {
  throw ArgumentError("[" + where + "] expected " + expected + ", got " + got);
}

/// "uint8 [60000, 1, 28, 28]".
std::string described(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  std::string text = std::string(c10::toString(tensor.scalar_type())) + " [";
  for (std::int64_t d = 0; d < tensor.dim(); ++d) {
    text += (d > 0 ? ", " : "") + std::to_string(tensor.size(d));
  }
  return text + "] on " + tensor.device().str();
}

/// byte -> byte / 127.5 - 1.
constexpr std::array<float, 256> kPixelValues = [] {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i) / 127.5F - 1.0F;
  }
  return values;
}();

}  // namespace

Split split_from(const std::string& name) {
  if (name == "train") return Split::train;
  if (name == "validation") return Split::validation;
  if (name == "test") return Split::test;
  refuse("split", "\"train\", \"validation\" or \"test\"", "\"" + name + "\"");
}

std::string to_string(Split split) {
  if (split == Split::train) return "train";
  return split == Split::validation ? "validation" : "test";
}

void require_valid(const Dataset& dataset) {
  const std::string where = "data set " + dataset.name;
  const at::Tensor& images = dataset.images;
  if (!images.defined() || images.dim() != 4 || images.scalar_type() != at::kByte ||
      !images.is_contiguous() || !images.is_cpu()) {
    refuse(where, "images [N,C,H,W] of bytes, contiguous, on the CPU", described(images));
  }
  if (images.numel() == 0) refuse(where, "at least one picture", described(images));
  const at::Tensor& labels = dataset.labels;
  if (!labels.defined()) {
    if (dataset.classes == 0) return;
    refuse(where, "labels of " + std::to_string(dataset.classes) + " classes", "none");
  }
  if (labels.dim() != 1 || labels.scalar_type() != at::kLong || !labels.is_cpu() ||
      labels.size(0) != images.size(0)) {
    refuse(where, "one int64 label for each of " + std::to_string(images.size(0)) + " pictures",
           described(labels));
  }
  const auto low = labels.min().item<std::int64_t>(), high = labels.max().item<std::int64_t>();
  if (low < 0 || high >= dataset.classes) {
    refuse(where, "labels in 0.." + std::to_string(dataset.classes - 1),
           std::to_string(low) + ".." + std::to_string(high));
  }
}

Dataset open(const config::DataConfig& config, Split split, const Sinks& sinks,
             const StopRequested& stop) {
  const Source& source = find_source(config.source);
  const std::vector<Split> splits = source.splits(config);
  const bool held_out = split == Split::validation ||
                        (split == Split::test && std::ranges::count(splits, Split::test) == 0 &&
                         config.validation > 0);
  Dataset dataset = source.open(config, held_out ? Split::train : split, sinks, stop);
  if (split != Split::test || held_out) {
    if (held_out && !(config.validation > 0)) {
      refuse("data", "data.validation above 0, the share that is held out", "0");
    }
    dataset = part_of(dataset, config.validation, held_out ? Part::held_out : Part::kept);
  }
  if (config.balance && !dataset.labels.defined()) {
    refuse("data", "labels, as data.balance draws each class equally often", "none");
  }
  dataset.flip = config.flip ? Flip::half : Flip::never;
  dataset.augment = split == Split::train ? config.augment : 0;
  dataset.order = config.balance ? Order::balanced : Order::shuffled;
  return dataset;
}

at::Tensor gather(const Dataset& dataset, const at::Tensor& indices) {
  const std::vector<std::uint8_t> none(
      indices.defined() ? static_cast<std::size_t>(indices.numel()) : 0, 0);
  return gather(dataset, indices, none);
}

at::Tensor gather(const Dataset& dataset, const at::Tensor& indices,
                  std::span<const std::uint8_t> mirrored) {
  if (!indices.defined() || indices.dim() != 1 || indices.scalar_type() != at::kLong ||
      !indices.is_cpu()) {
    refuse("gather", "indices [B] int64 on the CPU", described(indices));
  }
  const at::Tensor chosen = indices.contiguous();
  const std::int64_t* const index = chosen.const_data_ptr<std::int64_t>();
  const std::int64_t batch = chosen.size(0), count = dataset.size();
  if (mirrored.size() != static_cast<std::size_t>(batch)) {
    refuse("gather", std::to_string(batch) + " marks, one for each index",
           std::to_string(mirrored.size()));
  }
  const auto stray =
      std::find_if(index, index + batch, [count](std::int64_t i) { return i < 0 || i >= count; });
  if (stray != index + batch) {
    refuse("gather", "indices in 0.." + std::to_string(count - 1), std::to_string(*stray));
  }

  std::vector<std::int64_t> sizes = dataset.images.sizes().vec();
  sizes[0] = batch;
  at::Tensor out = at::empty(sizes, at::kFloat);
  const std::int64_t pixels = dataset.images.numel() / count, width = dataset.images.size(3);
  const std::uint8_t* const from = dataset.images.const_data_ptr<std::uint8_t>();
  float* const to = out.mutable_data_ptr<float>();
  at::parallel_for(0, batch, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint8_t* const picture = from + index[i] * pixels;
      float* const first = to + i * pixels;
      std::transform(picture, picture + pixels, first,
                     [](std::uint8_t byte) { return kPixelValues[byte]; });
      if (mirrored[static_cast<std::size_t>(i)] == 0) continue;
      for (float* row = first; row != first + pixels; row += width) std::reverse(row, row + width);
    }
  });
  return out;
}

}  // namespace tinta::data
