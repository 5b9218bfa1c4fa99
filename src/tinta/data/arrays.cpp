#include "tinta/data/arrays.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/mapped_file.h"
#include "tinta/data/content_hash.h"
#include "tinta/data/fit.h"
#include "tinta/data/pack.h"
#include "tinta/io/npz.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostClasses = 1'000'000;

bool is_array_file(const fs::path& path) {
  std::error_code ignored;
  return (path.extension() == ".npz" || path.extension() == ".npy") &&
         fs::is_regular_file(path, ignored);
}

/// The file of a split; nothing where it is not there.
std::optional<fs::path> file_of(const fs::path& path, Split split) {
  if (is_array_file(path)) return split == Split::train ? std::optional(path) : std::nullopt;
  for (const char* const ending : {".npz", ".npy"}) {
    const fs::path file = path / (to_string(split) + ending);
    if (is_array_file(file)) return file;
  }
  return std::nullopt;
}

bool is_channels(std::int64_t size) { return size == 1 || size == 3; }

/// [N,C,H,W], a view.
at::Tensor in_planes(const at::Tensor& images, const std::string& path) {
  if (images.scalar_type() == at::kByte && images.numel() > 0) {
    if (images.dim() == 3) return images.unsqueeze(1);
    if (images.dim() == 4 && is_channels(images.size(3))) return images.permute({0, 3, 1, 2});
    if (images.dim() == 4 && is_channels(images.size(1))) return images;
  }
  std::string shape;
  for (const std::int64_t size : images.sizes()) {
    shape += (shape.empty() ? "" : ", ") + std::to_string(size);
  }
  throw DataError(path,
                  "expected images as uint8 [N,H,W], [N,H,W,C] or [N,C,H,W], C = 1 or 3, got " +
                      std::string(c10::toString(images.scalar_type())) + " [" + shape + "]");
}

at::Tensor checked_labels(const at::Tensor& labels, std::int64_t count, const std::string& path) {
  const bool whole = at::isIntegralType(labels.scalar_type(), /*includeBool=*/false);
  if (!whole || labels.dim() != 1 || labels.size(0) != count) {
    throw DataError(path, "expected a whole number for each of " + std::to_string(count) +
                              " pictures as labels, got other ones");
  }
  const at::Tensor wide = labels.to(at::kLong).contiguous();
  const std::int64_t* const first = wide.const_data_ptr<std::int64_t>();
  const std::int64_t* const bad = std::find_if(
      first, first + count, [](auto label) { return label < 0 || label >= kMostClasses; });
  if (bad != first + count) {
    throw DataError(path, "expected labels from 0 below 10^6, got " + std::to_string(*bad) +
                              " for picture " + std::to_string(bad - first));
  }
  return wide;
}

/// The file of a split. @throws DataError
fs::path required_file(const fs::path& path, Split split) {
  if (const std::optional<fs::path> file = file_of(path, split)) return *file;
  throw DataError(path.string(), "expected " + to_string(split) + ".npz or " + to_string(split) +
                                     ".npy, got neither");
}

/// The images may be a view of another order, and of the file: they are not written to.
Dataset read(const fs::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  if (path.extension() == ".npy") {
    return {.name = "arrays", .images = in_planes(io::map_npy(file, path.string()), path.string())};
  }
  const std::map<std::string, at::Tensor> all = io::map_npz(file, path.string());
  const auto images = all.find("images"), labels = all.find("labels");
  if (images == all.end()) throw DataError(path.string(), "expected an array \"images\", got none");
  Dataset arrays{.name = "arrays", .images = in_planes(images->second, path.string())};
  if (labels != all.end()) {
    arrays.labels = checked_labels(labels->second, arrays.images.size(0), path.string());
    arrays.classes = arrays.labels.max().item<std::int64_t>() + 1;
  }
  return arrays;
}

PackSource source_of(const fs::path& path, std::int64_t size, std::int64_t channels) {
  const Dataset arrays = read(path);
  std::vector<std::int64_t> labels;
  if (arrays.labels.defined()) {
    const std::int64_t* const first = arrays.labels.const_data_ptr<std::int64_t>();
    labels.assign(first, first + arrays.size());
  }
  return {.count = arrays.images.size(0),
          .channels = channels,
          .height = size > 0 ? size : arrays.images.size(2),
          .width = size > 0 ? size : arrays.images.size(3),
          .labels = std::move(labels),
          .classes = arrays.classes,
          .hash =
              [images = arrays.images](std::int64_t i) {
                const at::Tensor picture = images[i].contiguous();
                const auto* const first =
                    reinterpret_cast<const std::byte*>(picture.const_data_ptr<std::uint8_t>());
                return content_hash({first, static_cast<std::size_t>(picture.numel())});
              },
          .picture = [images = arrays.images, size,
                      channels](std::int64_t i) { return fitted(images[i], size, channels); }};
}

}  // namespace

bool holds_arrays(const fs::path& path) {
  return file_of(path, Split::train) || file_of(path, Split::test);
}

std::vector<Split> array_splits(const fs::path& path) {
  std::vector<Split> splits;
  for (const Split split : {Split::train, Split::test}) {
    if (file_of(path, split)) splits.push_back(split);
  }
  return splits;
}

Dataset read_arrays(const fs::path& path, Split split) {
  Dataset arrays = read(required_file(path, split));
  arrays.images = arrays.images.contiguous();
  return arrays;
}

Dataset open_arrays(const config::DataConfig& config, Split split, const Sinks& sinks,
                    const StopRequested& stop) {
  const fs::path file = required_file(config.path, split);
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  const auto time = fs::last_write_time(file, failed).time_since_epoch().count();
  const PackKey key{.place = "arrays 1\n" + fs::weakly_canonical(file).string() + "\nsquare " +
                             std::to_string(config.size) + "\nchannels " +
                             std::to_string(config.channels) + "\n",
                    .content = std::to_string(size) + "\t" + std::to_string(time)};
  Dataset dataset = packed(
      cache_folder(), key, [&] { return source_of(file, config.size, config.channels); }, sinks,
      stop);
  dataset.name = "arrays";
  return dataset;
}

}  // namespace tinta::data
