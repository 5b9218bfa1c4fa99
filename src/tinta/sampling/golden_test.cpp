#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/sampling/sampler.h"
#include "tinta/sampling/test_support.h"

// Golden values: tests/golden/make_process_golden.py, diffusers 0.42.1, with the schedule given to
// it in float64. Left is the rounding of 1 - alpha_bar, which diffusers takes by subtraction.

namespace tinta::sampling {
namespace {

using nlohmann::json;
using process::Prediction;

constexpr double kTolerance = 1e-11;

const json& golden() {
  static const json values = json::parse(read_text(TINTA_SOURCE_DIR "/tests/golden/process.json"));
  return values;
}

at::Tensor tensor(const json& values) { return doubles(values.get<std::vector<double>>()); }

/// One step from the golden sample, with the golden output and noise.
at::Tensor one_step(SampleFunction run, const config::SamplingConfig& config, const json& entry) {
  const process::VpSchedule schedule(process::LinearBeta{});
  const FunctionDenoiser denoiser(
      process::prediction_from(entry.at("prediction")),
      [](const at::Tensor&, const process::NoiseLevel&) { return tensor(golden().at("output")); });
  const Chain chain{schedule, denoiser, constant_noise(tensor(golden().at("noise")))};
  return run(chain, config, {entry.at("t").get<int>(), entry.at("s").get<int>()},
             tensor(golden().at("sample")));
}

TEST(Golden, DdpmStepsAreThoseOfDiffusers) {
  ASSERT_GE(golden().at("ddpm").size(), 20u);
  for (const json& entry : golden().at("ddpm")) {
    const config::SamplingConfig config{.variance = entry.at("variance"),
                                        .clip_x0 = entry.at("clip")};
    EXPECT_LT(largest_difference(one_step(ddpm, config, entry), tensor(entry.at("after"))),
              kTolerance)
        << entry;
  }
}

// diffusers with use_clipped_model_output=True: eps follows from the clamped x_0.
TEST(Golden, DdimStepsAreThoseOfDiffusers) {
  ASSERT_GE(golden().at("ddim").size(), 50u);
  for (const json& entry : golden().at("ddim")) {
    const config::SamplingConfig config{.eta = entry.at("eta"), .clip_x0 = entry.at("clip")};
    EXPECT_LT(largest_difference(one_step(ddim, config, entry), tensor(entry.at("after"))),
              kTolerance)
        << entry;
  }
}

TEST(Golden, ADdimChainVisitsTheStatesOfDiffusers) {
  const json& expected = golden().at("ddim_chain");
  const process::VpSchedule schedule(process::LinearBeta{});
  const FunctionDenoiser denoiser(
      Prediction::eps, [](const at::Tensor& x_t, const process::NoiseLevel& level) -> at::Tensor {
        return x_t.tanh() * (0.2 + level.time / 2000);
      });
  const Chain chain{schedule, denoiser, no_noise};
  const std::vector<int> ts = time_steps(1000, expected.at("count"));
  at::Tensor x = tensor(golden().at("sample"));
  ASSERT_EQ(expected.at("states").size() + 1, ts.size());
  for (std::size_t i = 0; i + 1 < ts.size(); ++i) {
    x = ddim(chain, {.eta = 0, .clip_x0 = true}, {ts[i], ts[i + 1]}, x);
    EXPECT_LT(largest_difference(x, tensor(expected.at("states")[i])), 1e-10) << "step " << i;
  }
}

}  // namespace
}  // namespace tinta::sampling
