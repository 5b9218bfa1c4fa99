#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/kernels/convolution.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/upsampled_convolution.h"
#include "tinta/model/init.h"
#include "tinta/model/test_support.h"
#include "tinta/model/unet.h"

// A whole network with our own kernels in it, against the plain operations that double takes: wide
// and large enough for each of them to be chosen.

namespace tinta::model {
namespace {

constexpr std::int64_t kBatch = 8, kSide = 16, kChannels = 32;

struct Case {
  std::string name;
  at::ScalarType dtype;
  std::string conditioning;
  double dropout;
  double output;     ///< largest difference, over the largest value
  double gradients;  ///< norm of the difference over the norm, of every parameter
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

struct Step {
  at::Tensor output;
  std::map<std::string, at::Tensor> gradients{};
};

// One step with weights of the case's dtype, computed in `dtype`.
Step step_of(const Case& c, at::ScalarType dtype) {
  config::ModelConfig config;
  config.image_channels = 3;
  config.channels = kChannels;
  config.multipliers = {1, 2};
  config.attention_levels = {1};
  config.groups = 8;
  config.classes = 2;
  config.time_conditioning = c.conditioning;
  config.dropout = c.dropout;
  UNet net(config);
  initialise(net, 1);
  scramble(net, 0.05);
  net.to(c.dtype);
  net.to(dtype);
  if (dtype != at::kDouble) {
    for (at::Tensor& parameter : net.parameters()) {
      if (parameter.dim() != 4) continue;
      parameter.set_data(parameter.detach().contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  const std::vector<std::int64_t> sizes{kBatch, 3, kSide, kSide};
  const at::Tensor x = drawn(sizes, 0).to(c.dtype).to(at::kFloat);
  const at::Tensor out = net.forward(x, at::linspace(1, 900, kBatch), at::arange(kBatch) % 3,
                                     process::TrainingPass{.seed = 7, .first_sample = 40});
  (out * drawn(sizes, 1)).sum().backward();
  Step step{.output = out.detach().to(at::kDouble)};
  for (const auto& [name, parameter] : net.named_parameters()) {
    step.gradients[name] = parameter.grad().to(at::kDouble);
  }
  return step;
}

class FusedNet : public testing::TestWithParam<Case> {};

TEST_P(FusedNet, HasTheOutputAndGradientsOfThePlainOne) {
  const Case& c = GetParam();
  const Step plain = step_of(c, at::kDouble);
  const Step fused = step_of(c, c.dtype);
  const at::Tensor apart = (fused.output - plain.output).abs().max();
  EXPECT_LT((apart / plain.output.abs().max()).item<double>(), c.output);
  double largest = 0;
  for (const auto& [name, gradient] : plain.gradients) {
    largest = std::max(largest, gradient.norm().item<double>());
  }
  for (const auto& [name, gradient] : plain.gradients) {
    // A gradient that is next to nothing is the difference of large ones.
    const double size = std::max(gradient.norm().item<double>(), 1e-2 * largest);
    EXPECT_LT((fused.gradients.at(name) - gradient).norm().item<double>() / size, c.gradients)
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, FusedNet,
    testing::Values(Case{"Fp32", at::kFloat, "shift", 0, 1e-5, 1e-4},
                    Case{"Fp32Dropout", at::kFloat, "shift", 0.1, 1e-5, 1e-4},
                    Case{"Fp32ScaleShift", at::kFloat, "scale-shift", 0.1, 1e-5, 1e-4},
                    Case{"Bf16", at::kBFloat16, "shift", 0, 0.05, 0.1},
                    Case{"Bf16Dropout", at::kBFloat16, "shift", 0.1, 0.05, 0.1},
                    Case{"Bf16ScaleShift", at::kBFloat16, "scale-shift", 0.1, 0.05, 0.1}),
    [](const auto& instance) { return instance.param.name; });

// Else the test above would compare plain operations with plain ones.
TEST(FusedNetSize, IsLargeEnoughForItsKernels) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    // Without vectors, or in bfloat16 without its arithmetic, LibTorch's is the faster one.
    const bool own = kernels::active_isa() != kernels::Isa::portable &&
                     (dtype == at::kFloat || kernels::has_bf16());
    EXPECT_EQ(kernels::has_own_weight_gradient(at::zeros({kBatch, kChannels, kSide, kSide}, dtype),
                                               at::zeros({kChannels, kChannels, 3, 3}, dtype), 1),
              own);
    EXPECT_TRUE(
        kernels::has_phases(at::zeros({kBatch, 2 * kChannels, kSide / 2, kSide / 2}, dtype)));
  }
}

}  // namespace
}  // namespace tinta::model
