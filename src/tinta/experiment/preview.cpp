#include "tinta/experiment/preview.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "tinta/config/run_folder.h"
#include "tinta/core/file.h"
#include "tinta/experiment/generate.h"
#include "tinta/io/pixels.h"
#include "tinta/io/png.h"

namespace tinta::experiment {
namespace {

// A look at a run must not cost a run's time.
constexpr std::int64_t kMostEvaluations = 50;

std::filesystem::path preview_path(const std::filesystem::path& run, std::uint64_t step) {
  return run / "samples" / (config::step_name(step) + ".png");
}

}  // namespace

Preview::Preview(const config::RunConfig& config, const PictureShape& shape, const Compute& compute,
                 std::filesystem::path run, dist::Group& group)
    : config_(config),
      shape_(shape),
      compute_(compute),
      run_(std::move(run)),
      group_(group),
      network_(std::make_shared<model::UNet>(config.model)) {
  place(*network_, compute);
}

bool preview_missing(const std::filesystem::path& run, std::int64_t every, std::uint64_t step,
                     bool finished) {
  if (step == 0 || every <= 0) return false;
  const bool due = finished || step % static_cast<std::uint64_t>(every) == 0;
  return due && !std::filesystem::exists(preview_path(run, step));
}

std::optional<io::EventImage> Preview::draw(std::uint64_t step,
                                            const training::NamedTensors& averages,
                                            const StopRequested& stop) const {
  training::copy_weights(averages, network_->named_parameters());
  const std::int64_t classes = std::min<std::int64_t>(config_.model.classes, 10);
  std::vector<std::int64_t> wanted(static_cast<std::size_t>(classes));
  std::iota(wanted.begin(), wanted.end(), std::int64_t{0});
  const std::int64_t count = classes > 0 ? 4 * classes : 16;
  const at::Tensor pictures =
      generate({.network = *network_,
                .process = config_.process,
                .sampling = quick_sampling(config_.sampling, kMostEvaluations),
                .shape = shape_,
                .compute = compute_,
                .labels = classes > 0 ? labels_in_turn(wanted, count) : at::Tensor(),
                .count = count,
                .seed = config_.training.seed,
                .group = group_},
               {}, stop);
  if (!pictures.defined() || !group_.leads()) return std::nullopt;
  const at::Tensor grid = io::grid(pictures, grid_columns(count, classes, shape_));
  io::EventImage drawn{.tag = {},
                       .png = io::encode_png(grid, {{"Software", "tinta"},
                                                    {"seed", std::to_string(config_.training.seed)},
                                                    {"step", std::to_string(step)}}),
                       .height = grid.size(1),
                       .width = grid.size(2),
                       .channels = grid.size(0)};
  write_file(preview_path(run_, step), drawn.png, Existing::replace);
  return drawn;
}

}  // namespace tinta::experiment
