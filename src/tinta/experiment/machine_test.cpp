#include "tinta/experiment/machine.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/model/unet.h"

namespace tinta::experiment {
namespace {

using ::testing::HasSubstr;

// True of every machine: of one without a GPU, and of one with fewer than a hundred.
TEST(Prepare, SaysWhatIsMissingWhereAGpuIsAskedFor) {
  try {
    prepare({.device = config::Device::cuda, .gpu = 100}, "auto", {});
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    const bool with_cuda = c10::impl::hasDeviceGuardImpl(at::kCUDA);
    EXPECT_THAT(error.what(), HasSubstr(with_cuda ? "expected a GPU cuda:100, got"
                                                  : "expected a LibTorch with CUDA"));
  }
}

TEST(Prepare, TakesTheCpuWhereItIsAskedTo) {
  const Compute compute = prepare({.device = config::Device::cpu}, "fp32", {});
  EXPECT_TRUE(compute.device.is_cpu());
  EXPECT_EQ(compute.dtype, at::kFloat);
}

TEST(Prepare, LeavesFloat16ToGpus) {
  try {
    prepare({.device = config::Device::cpu}, "fp16", {});
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("expected auto, bf16 or fp32 on a CPU, got fp16"));
  }
}

TEST(Place, BringsEveryParameterIntoTheDtype) {
  model::UNet network(config::ModelConfig{.channels = 8, .groups = 4});
  place(network, {.device = at::kCPU, .dtype = at::kBFloat16});
  for (const at::Tensor& parameter : network.parameters()) {
    EXPECT_EQ(parameter.scalar_type(), at::kBFloat16);
  }
}

}  // namespace
}  // namespace tinta::experiment
