#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/names.h"
#include "tinta/core/text.h"
#include "tinta/data/info.h"
#include "tinta/data/points.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/run.h"
#include "tinta/kernels/isa.h"
#include "tinta/model/unet.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

// Side of the pictures that a config's network is meant for.
PictureShape shape_for(const config::ModelInfoOptions& options, const config::RunConfig& config) {
  // A preset's name wins over a folder called the same, as for the config itself.
  const std::vector<std::string> presets = config::preset_names();
  const bool preset = std::ranges::count(presets, options.preset_or_file) > 0;
  if (!preset && fs::exists(fs::path(options.preset_or_file) / "data.json")) {
    return read_shape(options.preset_or_file);
  }
  return nominal_shape(config);
}

ordered_json to_json(const data::SplitInfo& split) {
  return {{"name", split.name},
          {"count", split.count},
          {"channels", split.channels},
          {"height", split.height},
          {"width", split.width},
          {"class_counts", split.class_counts},
          {"mean", split.mean},
          {"standard_deviation", split.standard_deviation},
          {"class_names", split.class_names}};
}

std::string numbers(const std::vector<double>& values) {
  std::vector<std::string> parts;
  parts.reserve(values.size());
  for (const double value : values) parts.push_back(fixed(value, 4));
  return join(parts, " ");
}

std::string to_text(const data::SplitInfo& split) {
  std::string text = "  " + split.name + ": " + std::to_string(split.count) + " pictures of " +
                     std::to_string(split.channels) + " x " + std::to_string(split.height) + " x " +
                     std::to_string(split.width) + ", mean " + numbers(split.mean) +
                     ", standard deviation " + numbers(split.standard_deviation) + "\n";
  if (!split.class_counts.empty()) {
    std::vector<std::string> counts;
    counts.reserve(split.class_counts.size());
    for (std::size_t i = 0; i < split.class_counts.size(); ++i) {
      counts.push_back((split.class_names.empty() ? "" : split.class_names[i] + " ") +
                       std::to_string(split.class_counts[i]));
    }
    text += "    pictures of each class: " + join(counts, split.class_names.empty() ? " " : ", ") +
            "\n";
  }
  return text;
}

// Points have no splits: any number can be drawn.
std::string describe_points(const std::string& name, const config::DataInfoOptions& options) {
  constexpr std::int64_t kDrawn = 10000;
  const at::Tensor points = data::draw_points(name, kDrawn, 0).to(at::kDouble);
  const auto both = [](const at::Tensor& pair) {
    return std::vector<double>{pair[0].item<double>(), pair[1].item<double>()};
  };
  const at::Tensor centre = points.mean(0);
  const std::vector<double> mean = both(centre);
  const std::vector<double> deviation = both((points - centre).square().mean(0).sqrt());
  if (options.json) {
    const ordered_json json = {
        {"source", name},  {"format", "drawn"}, {"path", ""},   {"splits", ordered_json::array()},
        {"dimensions", 2}, {"count", kDrawn},   {"mean", mean}, {"standard_deviation", deviation}};
    return json.dump(2) + "\n";
  }
  return name + " (drawn): points of the plane, any number; the first " + std::to_string(kDrawn) +
         " have mean " + numbers(mean) + ", standard deviation " + numbers(deviation) + "\n";
}

}  // namespace

std::string run_data_info(const config::DataInfoOptions& options, const Sinks& sinks) {
  const config::Source* known = config::find_source(options.path_or_name);
  const bool drawn = known != nullptr && known->origin == config::Origin::drawn;
  if (drawn && !known->pictures) return describe_points(known->name, options);
  const data::Description description =
      drawn ? data::describe(config::DataConfig{.source = known->name}, sinks)
            : data::describe(options.path_or_name, sinks);
  if (options.json) {
    ordered_json json = {{"source", description.source},
                         {"format", description.format},
                         {"path", description.path},
                         {"splits", ordered_json::array()}};
    for (const data::SplitInfo& split : description.splits)
      json["splits"].push_back(to_json(split));
    return json.dump(2) + "\n";
  }
  std::string text = description.source + " (" + description.format + ")" +
                     (description.path.empty() ? "" : " in " + description.path) + "\n";
  for (const data::SplitInfo& split : description.splits) text += to_text(split);
  return text;
}

std::string run_model_info(const config::ModelInfoOptions& options) {
  const config::RunConfig config = config::resolved(options.preset_or_file, options.overrides);
  config::require_valid(config, "model info");
  model::UNet network(config.model);
  const PictureShape shape = shape_for(options, config);
  const double forward =
      2e-9 * static_cast<double>(network.multiply_adds(shape.height, shape.width));
  const std::size_t tensors = network.named_parameters().size();
  if (options.json) {
    // A training step costs three forward passes: itself and the two gradients.
    const ordered_json json = {{"parameters", network.parameter_count()},
                               {"tensors", tensors},
                               {"gflop_per_image", 3 * forward},
                               {"gflop_per_image_forward", forward},
                               {"channels", shape.channels},
                               {"height", shape.height},
                               {"width", shape.width}};
    return json.dump(2) + "\n";
  }
  return std::to_string(network.parameter_count()) + " parameters in " + std::to_string(tensors) +
         " tensors\n" + fixed(3 * forward, 3) + " GFLOP a picture in training, " +
         fixed(forward, 3) + " in sampling, at " + std::to_string(shape.height) + " x " +
         std::to_string(shape.width) + "\n";
}

std::string engine_versions() {
  // Of gperftools, where its malloc is the one.
  using TcVersion = const char*(int* major, int* minor, const char** patch);
  auto* const allocator = reinterpret_cast<TcVersion*>(::dlsym(RTLD_DEFAULT, "tc_version"));
  return std::string("LibTorch ") + TORCH_VERSION + "\n" + "kernels " +
         kernels::to_string(kernels::best_isa()) +
         ", bfloat16 in hardware: " + (kernels::has_bf16() ? "yes" : "no") + "\n" +
         "CUDA devices: " +
         (at::hasCUDA() ? std::to_string(at::detail::getCUDAHooks().deviceCount()) : "none") +
         "\n" + "memory from " +
         (allocator != nullptr ? allocator(nullptr, nullptr, nullptr) : "libc") + "\n";
}

}  // namespace tinta::experiment
