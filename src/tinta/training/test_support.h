#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/core/philox.h"
#include "tinta/core/test_folder.h"
#include "tinta/kernels/random.h"
#include "tinta/process/denoiser.h"
#include "tinta/training/checkpoint.h"
#include "tinta/training/state.h"
#include "tinta/training/trainer.h"

// For the tests of this folder only.

namespace tinta::training {

/// The least network that can be trained: scale * x_t + offset[label], where an unconditional one
/// has a single offset. Remembers what it was asked.
class Line : public process::TrainableDenoiser {
 public:
  struct Call {
    at::Tensor time;
    at::Tensor labels;
    std::optional<process::TrainingPass> training;
  };

  explicit Line(process::Prediction prediction = process::Prediction::eps, std::int64_t classes = 0,
                at::ScalarType dtype = at::kFloat)
      : scale(at::full({1}, 0.3, dtype).set_requires_grad(true)),
        offset(at::arange(1, classes + 2, dtype).mul(0.1).set_requires_grad(true)),
        prediction_(prediction),
        classes_(classes) {}

  [[nodiscard]] process::Prediction prediction() const override { return prediction_; }
  [[nodiscard]] std::int64_t classes() const override { return classes_; }
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::TrainingPass>& training) override {
    last = {time, labels, training};
    const at::Tensor shift = labels.defined() ? offset.index_select(0, labels) : offset;
    const at::Tensor out = x_t * scale + shift.reshape({-1, 1, 1, 1});
    return spoil ? spoil(out, *this) : out;
  }
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override {
    return {{"scale", scale}, {"offset", offset}};
  }

  at::Tensor scale;   ///< [1]
  at::Tensor offset;  ///< [classes + 1]
  Call last;
  /// What becomes of an output, where a test wants it broken.
  std::function<at::Tensor(const at::Tensor& out, const Line& line)> spoil;

 private:
  process::Prediction prediction_;
  std::int64_t classes_;
};

/// A run folder of its own for each test, removed at its end.
class RunFolder : public TestFolder {
 public:
  [[nodiscard]] std::filesystem::path checkpoints() const { return path() / "checkpoints"; }
};

/// Pictures of 2 x 2 pixels, bytes uniform on 0..199, so that their mean is not zero.
inline data::Dataset tiny_pictures(std::int64_t count, std::int64_t classes = 0) {
  data::Dataset set{.name = "tiny", .images = at::empty({count, 1, 2, 2}, at::kByte)};
  auto* bytes = set.images.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < set.images.numel(); ++i) {
    const RandomKey key{.seed = 11, .sample = static_cast<std::uint64_t>(i)};
    bytes[i] = static_cast<std::uint8_t>(random_below(key, 200));
  }
  if (classes > 0) set.labels = at::arange(count, at::kLong).remainder(classes);
  set.classes = classes;
  return set;
}

inline Budget budget_of_steps(std::uint64_t steps) {
  Budget budget;
  budget.steps = steps;
  return budget;
}

/// A run of the toy on tiny pictures, of which a test changes what it is about.
struct TinyRun {
  explicit TinyRun(std::int64_t classes = 0, at::ScalarType dtype = at::kFloat)
      : dataset(tiny_pictures(10, classes)), network(process::Prediction::eps, classes, dtype) {}

  Ending train(const Budget& budget) {
    return training::train({.network = network,
                            .schedule = schedule,
                            .dataset = dataset,
                            .config = config,
                            .run = folder.path()},
                           budget, state, hooks);
  }
  Ending train(std::uint64_t steps) { return train(budget_of_steps(steps)); }

  process::VpSchedule schedule{process::LinearBeta{.steps = 20, .start = 0.01, .end = 0.3}};
  data::Dataset dataset;
  config::TrainingConfig config{.batch = 4,
                                .learning_rate = 1e-2,
                                .warmup_steps = 0,
                                .log_every = 100,
                                .checkpoint_every = 0,
                                .keep_checkpoints = 0,
                                .sample_every = 0};
  Line network;
  TrainingState state = TrainingState::fresh(network.named_parameters());
  TrainerHooks hooks{};
  RunFolder folder;
};

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.detach().contiguous();
  const at::Tensor y = b.detach().contiguous();
  return x.sizes() == y.sizes() && x.scalar_type() == y.scalar_type() &&
         std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) == 0;
}

inline bool same_parameter(const ParameterState& a, const ParameterState& b) {
  return a.name == b.name && same_bits(a.master, b.master) && same_bits(a.m, b.m) &&
         same_bits(a.v, b.v) && same_bits(a.ema, b.ema) &&
         std::ranges::equal(a.tracked, b.tracked, same_bits);
}

/// Everything but the clock, bit for bit.
inline void expect_same_state(const TrainingState& a, const TrainingState& b) {
  EXPECT_TRUE(std::ranges::equal(a.parameters, b.parameters, same_parameter));
  EXPECT_EQ(std::tuple(a.relative_widths, a.step, a.images, a.loss_sum, a.loss_count),
            std::tuple(b.relative_widths, b.step, b.images, b.loss_sum, b.loss_count));
  EXPECT_EQ(a.level_losses, b.level_losses);
  EXPECT_EQ(a.skips, b.skips);
  EXPECT_EQ(a.loss_scale, b.loss_scale);
}

/// The lines of metrics.jsonl.
inline std::vector<nlohmann::ordered_json> metrics_of(const std::filesystem::path& run) {
  std::vector<nlohmann::ordered_json> lines;
  std::istringstream text(read_text(run / "metrics.jsonl"));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(nlohmann::ordered_json::parse(line));
  }
  return lines;
}

inline std::vector<std::uint64_t> logged_steps(const std::filesystem::path& run) {
  std::vector<std::uint64_t> steps;
  for (const auto& line : metrics_of(run)) steps.push_back(line.at("step").get<std::uint64_t>());
  return steps;
}

/// Steps of the checkpoints, oldest first.
inline std::vector<std::uint64_t> saved_steps(const std::filesystem::path& run) {
  std::vector<std::uint64_t> steps;
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) steps.push_back(checkpoint.step);
  std::ranges::reverse(steps);
  return steps;
}

/// Names in a folder, hidden ones too, in order.
inline std::vector<std::string> entries(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// What an error of type E says; "no error" where none is thrown.
template <class E>
std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tinta::training
