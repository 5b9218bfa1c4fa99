#include "tinta/training/post_mortem.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tinta/config/run_folder.h"
#include "tinta/core/file.h"
#include "tinta/io/npz.h"
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
  const Draws draws = draw(batch, parts.schedule.training_levels(), parts.network.classes(),
                           config.class_dropout, config.seed);
  const at::Tensor losses =
      picture_losses(parts.network, parts.schedule, batch, draws,
                     process::TrainingPass{
                         .seed = config.seed, .first_sample = batch.first_sample, .samples = {}})
          .to(at::kFloat);
  const auto first = static_cast<std::int64_t>(batch.first_sample);
  const std::int64_t count = batch.x0.size(0);
  std::map<std::string, at::Tensor> arrays = {
      {"pictures", batch.x0.cpu()},
      {"samples", at::arange(first, first + count, at::kLong)},
      {"t", draws.t.cpu()},
      {"loss", losses}};
  if (draws.labels.defined()) arrays["labels"] = draws.labels.cpu();
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
