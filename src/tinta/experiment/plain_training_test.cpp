#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <ostream>
#include <string>
#include <vector>

#include "tinta/data/glyphs.h"
#include "tinta/data/loader.h"
#include "tinta/experiment/machine.h"
#include "tinta/kernels/isa.h"
#include "tinta/model/init.h"
#include "tinta/model/unet.h"
#include "tinta/process/schedule.h"
#include "tinta/training/loss.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/state.h"
#include "tinta/training/step.h"

// A whole training run by our own step, with its kernels, beside one that has none of them: plain
// operations in double and LibTorch's optimiser. The random numbers are the same, nothing else is.

namespace tinta::experiment {
namespace {

constexpr int kSteps = 300, kLast = 50;

config::RunConfig config_of_test() {
  config::RunConfig config;
  config.model.image_channels = 1;
  config.model.channels = 32;
  config.model.multipliers = {1, 2};
  config.model.attention_levels = {1};
  config.model.groups = 8;
  config.model.classes = 10;
  config.model.dropout = 0.1;
  config.training.batch = 8;
  config.training.learning_rate = 1e-3;
  config.training.warmup_steps = 20;
  config.training.decay = "constant";
  config.training.weight_decay = 0.01;
  config.training.seed = 5;
  return config;
}

/// Of the last kLast of kSteps losses.
double mean_of_last(const std::vector<double>& losses) {
  double sum = 0;
  for (int i = kSteps - kLast; i < kSteps; ++i) sum += losses.at(static_cast<std::size_t>(i));
  return sum / kLast;
}

double plain(const config::RunConfig& config, const data::Dataset& dataset) {
  model::UNet network(config.model);
  model::initialise(network, config.training.seed);
  network.to(at::kDouble);
  const auto schedule = process::make_schedule(config.process);
  const data::Loader loader(dataset, config.training.batch, config.training.seed);
  torch::optim::AdamW optimizer(network.parameters(),
                                torch::optim::AdamWOptions(config.training.learning_rate)
                                    .betas({config.training.beta1, config.training.beta2})
                                    .eps(config.training.adam_eps)
                                    .weight_decay(config.training.weight_decay));
  std::vector<double> losses;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const data::Batch batch = loader.batch(step);
    const training::Draws draws =
        training::draw(batch, schedule->training_levels(), config.model.classes,
                       config.training.class_dropout, config.training.seed);
    const at::Tensor loss =
        training::simple_loss(network, *schedule, batch, draws, config.training.seed);
    optimizer.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(network.parameters(), config.training.clip_norm);
    for (auto& group : optimizer.param_groups()) {
      group.options().set_lr(training::learning_rate_at(config.training, step + 1, 0));
    }
    optimizer.step();
    losses.push_back(loss.item<double>());
  }
  return mean_of_last(losses);
}

double ours(const config::RunConfig& config, const data::Dataset& dataset, at::ScalarType dtype) {
  model::UNet network(config.model);
  model::initialise(network, config.training.seed);
  training::TrainingState state = training::TrainingState::fresh(network.named_parameters());
  place(network, {.device = at::kCPU, .dtype = dtype});
  const auto schedule = process::make_schedule(config.process);
  training::TrainingStep step(
      {.network = network, .schedule = *schedule, .dataset = dataset, .config = config.training},
      state);
  std::vector<double> losses;
  for (int i = 0; i < kSteps; ++i) losses.push_back(step.run(0).loss);
  return mean_of_last(losses);
}

struct Case {
  std::string name;
  at::ScalarType dtype;
  double tolerance;  // of the mean loss, relative
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

class PlainTraining : public testing::TestWithParam<Case> {};

// The losses are of the same pictures at the same noise levels, so that their means differ by
// rounding alone.
TEST_P(PlainTraining, EndsAtTheLossOfOurKernels) {
  const Case& c = GetParam();
  if (c.dtype == at::kBFloat16 && !kernels::has_bf16()) {
    GTEST_SKIP() << "this processor has no arithmetic for bfloat16";
  }
  const config::RunConfig config = config_of_test();
  const data::Dataset dataset = data::draw_glyphs({.count = 512, .size = 12, .seed = 1});
  static const double wanted = plain(config, dataset);
  EXPECT_LT(wanted, 0.35) << "nothing was learnt: the test would compare two beginnings";
  const double got = ours(config, dataset, c.dtype);
  EXPECT_NEAR(got / wanted, 1, c.tolerance);
  RecordProperty("over_plain", std::to_string(got / wanted));
}

INSTANTIATE_TEST_SUITE_P(Precisions, PlainTraining,
                         testing::Values(Case{"Fp32", at::kFloat, 0.01},
                                         Case{"Bf16", at::kBFloat16, 0.02}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace tinta::experiment
