#include "tinta/kernels/cuda.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/adamw.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/group_norm.h"
#include "tinta/kernels/random.h"

// What only a GPU can show: that it computes what device_test.cpp and its like see on the CPU.

namespace tinta::kernels {
namespace {

constexpr RandomKey kKey{.seed = 7, .stream = Stream::test, .sample = 100, .step = 3};

at::Tensor drawn(at::IntArrayRef sizes, std::uint32_t step) {
  return normal(sizes, {.seed = 1, .stream = Stream::test, .step = step});
}

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cuda_kernels() == nullptr) GTEST_SKIP() << "this build has no CUDA kernels";
    if (!at::hasCUDA()) GTEST_SKIP() << "no GPU here";
  }
  const at::Device gpu_{at::kCUDA, 0};
};

TEST_F(OnGpu, RandomNumbersAreTheBitsOfTheCpu) {
  for (const std::int64_t length : {1, 3, 64, 1001, 100000}) {
    EXPECT_TRUE(at::equal(normal({5, length}, kKey, gpu_).cpu(), normal({5, length}, kKey)));
    at::Tensor here = at::empty({5, length});
    at::Tensor there = here.to(gpu_);
    fill_dropout(here, kKey, 0.3);
    fill_dropout(there, kKey, 0.3);
    EXPECT_TRUE(at::equal(there.cpu(), here)) << length;
    const at::Tensor samples = at::tensor({9, 1, 7, 2, 2}, at::kLong);
    fill_normal(here, kKey, samples);
    fill_normal(there, kKey, samples.to(gpu_));
    EXPECT_TRUE(at::equal(there.cpu(), here)) << length;
  }
}

// More parameters than one launch takes, of both dtypes.
TEST_F(OnGpu, AdamwIsTheBitsOfTheCpu) {
  std::vector<AdamwState> here, there;
  std::vector<at::Tensor> gradients_here, gradients_there;
  for (std::uint32_t i = 0; i < 120; ++i) {
    const std::int64_t count = i == 7 ? 100003 : 1 + 37 * i;
    const at::ScalarType dtype = i % 3 == 0 ? at::kBFloat16 : at::kFloat;
    const at::Tensor start = drawn({count}, i);
    const auto make = [&](const at::Device& device) {
      return AdamwState{start.to(device, dtype, false, true), start.to(device, false, true),
                        at::zeros({count}, at::TensorOptions(device)),
                        at::zeros({count}, at::TensorOptions(device)),
                        start.to(device, false, true)};
    };
    here.push_back(make(at::kCPU));
    there.push_back(make(gpu_));
    gradients_here.push_back(drawn({count}, 1000 + i).to(dtype));
    gradients_there.push_back(gradients_here.back().to(gpu_));
  }
  const AdamwStep step{
      .learning_rate = 1e-2f, .weight_decay = 0.1f, .gradient_scale = 0.7f, .ema_decay = 0.9f};
  for (int i = 0; i < 3; ++i) {
    adamw_steps(here, gradients_here, step);
    adamw_steps(there, gradients_there, step);
  }
  for (std::size_t i = 0; i < here.size(); ++i) {
    EXPECT_TRUE(at::equal(there[i].master.cpu(), here[i].master)) << i;
    EXPECT_TRUE(at::equal(there[i].v.cpu(), here[i].v)) << i;
    EXPECT_TRUE(at::equal(there[i].ema.cpu(), here[i].ema)) << i;
    EXPECT_TRUE(at::equal(there[i].weight.cpu(), here[i].weight)) << i;
  }
  EXPECT_NEAR(square_sum(gradients_there) / square_sum(gradients_here), 1, 1e-6);
}

TEST_F(OnGpu, ALiveStepClipsAndLeavesAloneWhatIsNotFinite) {
  const at::Tensor start = drawn({1000}, 1);
  AdamwState plain{start.clone(), start.clone(), at::zeros({1000}), at::zeros({1000}),
                   start.clone()};
  std::vector<AdamwState> live{
      {start.to(gpu_), start.to(gpu_, false, true), at::zeros({1000}, at::TensorOptions(gpu_)),
       at::zeros({1000}, at::TensorOptions(gpu_)), start.to(gpu_, false, true)}};
  at::Tensor gradient = drawn({1000}, 2);
  const double norm = gradient.norm().item<double>();
  AdamwStep numbers{.learning_rate = 1e-2f, .correction1 = 0.1f, .correction2 = 0.001f};
  LiveStep kept = make_live_step(gpu_);
  write_live_step(kept, numbers);
  const at::Tensor loss = at::ones({}, at::TensorOptions(gpu_));
  adamw_steps(live, {gradient.to(gpu_)}, kept, norm / 2, loss);
  numbers.gradient_scale = 0.5f;
  adamw_step(plain, gradient, numbers);
  EXPECT_TRUE(at::allclose(live[0].master.cpu(), plain.master, 1e-6, 1e-7));
  const at::Tensor before = live[0].master.clone();
  adamw_steps(live, {gradient.to(gpu_)}, kept, norm / 2,
              loss * std::numeric_limits<float>::infinity());
  EXPECT_TRUE(at::equal(live[0].master, before));
  gradient[3] = std::numeric_limits<float>::quiet_NaN();
  adamw_steps(live, {gradient.to(gpu_)}, kept, norm / 2, loss);
  EXPECT_TRUE(at::equal(live[0].master, before));
}

struct NormResults {
  at::Tensor y, dx, dshift, dgamma, dbeta;
};

template <class Norm>
NormResults normed(Norm norm, at::ScalarType dtype, at::ScalarType compute,
                   const at::Device& device, std::int64_t channels) {
  const auto make = [&](const at::Tensor& x) {
    return x.to(dtype).to(device, compute, false, true).requires_grad_(true);
  };
  const at::Tensor x = make(drawn({5, channels, 19, 21}, 0));
  const at::Tensor shift = make(drawn({5, channels}, 1));
  const at::Tensor gamma = make(1 + 0.3 * drawn({1, channels}, 2)[0]);
  const at::Tensor beta = make(0.3 * drawn({1, channels}, 3)[0]);
  const at::Tensor y =
      norm(x, shift, gamma, beta,
           GroupNormOptions{.groups = 8, .eps = 1e-5, .activation = Activation::silu});
  y.backward(drawn({5, channels, 19, 21}, 4).to(dtype).to(device, compute));
  return {y.detach(), x.grad(), shift.grad(), gamma.grad(), beta.grad()};
}

TEST_F(OnGpu, GroupNormAgreesWithTheReferenceAndWithItself) {
  for (const auto& [dtype, tolerance] :
       {std::pair{at::kFloat, 1e-5}, std::pair{at::kBFloat16, 1e-2}, std::pair{at::kHalf, 2e-3}}) {
    for (const std::int64_t channels : {8, 24, 64, 320, 1000}) {
      const NormResults got = normed(group_norm, dtype, dtype, gpu_, channels);
      const NormResults again = normed(group_norm, dtype, dtype, gpu_, channels);
      const NormResults wanted =
          normed(group_norm_reference, dtype, at::kDouble, at::kCPU, channels);
      const auto check = [&](const at::Tensor& a, const at::Tensor& same, const at::Tensor& b,
                             const char* what) {
        const double largest = std::max(b.abs().max().item<double>(), 1e-3);
        const double apart = (a.cpu().to(at::kDouble) - b).abs().max().item<double>() / largest;
        EXPECT_LT(apart, tolerance) << what << " " << channels << " " << c10::toString(dtype);
        EXPECT_TRUE(at::equal(a, same)) << what;
      };
      check(got.y, again.y, wanted.y, "y");
      check(got.dx, again.dx, wanted.dx, "dx");
      check(got.dshift, again.dshift, wanted.dshift, "dshift");
      check(got.dgamma, again.dgamma, wanted.dgamma, "dgamma");
      check(got.dbeta, again.dbeta, wanted.dbeta, "dbeta");
    }
  }
}

TEST_F(OnGpu, AGraphPlaysOnWhatIsInMemoryThen) {
  const auto graph = make_step_graph(gpu_);
  ASSERT_NE(graph, nullptr);
  const at::Tensor samples = at::tensor({5}, at::kLong).to(gpu_);
  at::Tensor out;
  const auto work = [&] {
    at::Tensor noise = at::empty({1, 1000}, at::TensorOptions(gpu_));
    fill_normal(noise, kKey, samples);
    out = noise * 2;
  };
  graph->run(work);
  graph->record(work);
  for (const std::int64_t sample : {6, 9}) {
    graph->run([&] { samples.fill_(sample); });
    graph->play();
    graph->run([&] {
      RandomKey key = kKey;
      key.sample = static_cast<std::uint64_t>(sample);
      EXPECT_TRUE(at::equal(out.cpu(), normal({1, 1000}, key) * 2)) << sample;
    });
  }
}

// Without a GPU: LibTorch's device without memory stands in for one.
TEST(MixedDevices, AreNamed) {
  const at::Tensor x = at::zeros({1, 4, 2, 2});
  const at::Tensor here = at::ones({4});
  const at::Tensor elsewhere = here.to(at::kMeta);
  try {
    group_norm(x, {}, elsewhere, here, {.groups = 2});
    FAIL() << "no error";
  } catch (const ArgumentError& error) {
    EXPECT_STREQ(error.what(), "[group_norm] expected gamma on cpu, got it on meta");
  }
  AdamwState state{here.clone(), here.clone(), here.clone(), here.clone(), here.clone()};
  EXPECT_THROW(adamw_step(state, elsewhere, {}), ArgumentError);
  at::Tensor nowhere = at::empty({2, 3}, at::TensorOptions(at::kMeta));
  EXPECT_THROW(fill_normal(nowhere, kKey), ArgumentError);
}

}  // namespace
}  // namespace tinta::kernels
