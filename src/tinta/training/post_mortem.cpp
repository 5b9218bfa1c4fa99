#include "tinta/training/post_mortem.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/config/run_folder.h"
#include "tinta/core/file.h"
#include "tinta/io/npz.h"
#include "tinta/training/accumulation.h"
#include "tinta/training/loss.h"

namespace tinta::training {
namespace fs = std::filesystem;
namespace {

// "RUN/post-mortem/step-00001234", without an ending.
std::string stem_of(const fs::path& run, std::uint64_t step) {
  return (run / "post-mortem" / config::step_name(step)).string();
}

}  // namespace

fs::path save_post_mortem(const TrainerParts& parts, const TrainingState& state,
                          const data::Batch& batch, const StepReport& report) {
  const config::TrainingConfig& config = parts.config;
  const auto first = static_cast<std::int64_t>(batch.first_sample);
  const std::int64_t count = batch.x0.size(0);
  // No more at a time than a step takes of it: there may be no memory for all.
  const std::int64_t pieces = std::min<std::int64_t>(count, config.accumulate * parts.group.size());
  std::vector<at::Tensor> all_losses, t, labels;
  for (std::int64_t i = 0; i < pieces; ++i) {
    const data::Batch part = part_of(batch, dist::share_of(count, i, pieces));
    const Draws draws = draw(part, parts.schedule.training_levels(), parts.network.classes(),
                             config.class_dropout, config.seed);
    all_losses.push_back(
        picture_losses(parts.network, parts.schedule, part, draws,
                       process::TrainingPass{
                           .seed = config.seed, .first_sample = part.first_sample, .samples = {}})
            .to(at::kFloat));
    t.push_back(draws.t.cpu());
    if (draws.labels.defined()) labels.push_back(draws.labels.cpu());
  }
  const at::Tensor losses = at::cat(all_losses);
  std::map<std::string, at::Tensor> arrays = {
      {"pictures", batch.x0.cpu()},
      {"samples", at::arange(first, first + count, at::kLong)},
      {"t", at::cat(t)},
      {"loss", losses}};
  if (!labels.empty()) arrays["labels"] = at::cat(labels);
  const nlohmann::ordered_json numbers = {
      {"step", state.step},
      {"first_sample", first},
      {"last_sample", first + count - 1},
      {"loss", report.loss},
      {"gradient_norm", report.gradient_norm},
      {"learning_rate", report.learning_rate},
      {"losses_not_finite", count - losses.isfinite().sum().item<std::int64_t>()},
      {"skipped_in_a_row", state.skips.in_row},
      {"rollbacks", state.skips.rollbacks}};
  const std::string stem = stem_of(parts.run, state.step);
  write_file(stem + ".npz", io::encode_npz(arrays), Existing::replace);
  write_file(stem + ".json", numbers.dump(2) + "\n", Existing::replace);
  return stem + ".npz";
}

}  // namespace tinta::training
