#include "tinta/experiment/profile.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tinta/core/error.h"

namespace tinta::experiment {
namespace {

// Half of a convolution's backward pass.
double half(const ConvolutionBackward&) { return 0.5; }

double milliseconds_of(const Profile& profile, Part part) {
  for (const PartTime& time : profile.parts) {
    if (time.part == part) return time.milliseconds;
  }
  return -1;
}

// Operations of one thread, with times in milliseconds.
Operation operation(const std::string& name, int start, int end) {
  return {.name = name, .thread = 1, .start = start * 1'000'000, .end = end * 1'000'000};
}

// A forward and a backward pass of a convolution, a product and a norm, as a scope "step".
std::vector<Operation> traced_step() {
  const at::Tensor x = at::ones({2, 3, 8, 8});
  const at::Tensor weight = at::ones({4, 3, 3, 3}).set_requires_grad(true);
  const at::Tensor matrix = at::ones({8, 8}).set_requires_grad(true);
  Trace trace(at::kCPU);
  {
    RECORD_USER_SCOPE("step");
    at::linear(at::conv2d(x, weight, {}, 1, 1), matrix).sum().backward();
  }
  return trace.finish();
}

TEST(Profile, TheOutermostNamedOperationClaimsTheTime) {
  const Profile profile =
      profile_of({operation("step", 0, 100), operation("aten::linear", 10, 40),
                  operation("aten::copy_", 15, 20), operation("aten::add", 50, 90),
                  operation("aten::copy_", 60, 70)},
                 "step", half);
  EXPECT_EQ(profile.steps, 1);
  EXPECT_NEAR(profile.milliseconds, 100, 1e-9);
  EXPECT_NEAR(milliseconds_of(profile, Part::linear), 30, 1e-9);
  EXPECT_NEAR(milliseconds_of(profile, Part::copies), 10, 1e-9);
  EXPECT_NEAR(milliseconds_of(profile, Part::other), 60, 1e-9);
}

TEST(Profile, AConvolutionsBackwardPassIsSplitAsItsShareSays) {
  std::vector<Operation> operations = {operation("step", 0, 50),
                                       operation("ConvolutionBackward0", 0, 42),
                                       operation("aten::convolution_backward", 1, 41)};
  operations[2].convolution = std::make_shared<ConvolutionBackward>();
  const Profile profile =
      profile_of(operations, "step", [](const ConvolutionBackward&) { return 0.25; });
  EXPECT_NEAR(milliseconds_of(profile, Part::data_gradient), 10, 1e-9);
  EXPECT_NEAR(milliseconds_of(profile, Part::weight_gradient), 32, 1e-9);
}

TEST(Profile, StepsAreMeansAndTimeBetweenThemDoesNotCount) {
  const Profile profile = profile_of(
      {operation("step", 0, 10), operation("aten::mm", 2, 6), operation("aten::mm", 12, 90),
       operation("step", 100, 130), operation("aten::mm", 100, 106)},
      "step", half);
  EXPECT_EQ(profile.steps, 2);
  EXPECT_NEAR(profile.milliseconds, 20, 1e-9);
  EXPECT_NEAR(milliseconds_of(profile, Part::linear), 5, 1e-9);
}

TEST(Profile, PartsAndSharesSumToTheStep) {
  const Profile profile = profile_of(traced_step(), "step", half);
  ASSERT_EQ(profile.parts.size(), all_parts().size());
  double sum = 0;
  double share = 0;
  for (const PartTime& part : profile.parts) {
    EXPECT_GE(part.milliseconds, 0) << to_string(part.part);
    sum += part.milliseconds;
    share += part.share;
  }
  EXPECT_NEAR(sum, profile.milliseconds, 1e-9 * profile.milliseconds);
  EXPECT_NEAR(share, 1, 1e-9);
  for (const Part part : {Part::convolution, Part::weight_gradient, Part::linear, Part::other}) {
    EXPECT_GT(milliseconds_of(profile, part), 0) << to_string(part);
  }
  EXPECT_EQ(to_json(profile)["parts"].size(), profile.parts.size());
}

TEST(Profile, ATraceWithoutTheStepIsRefused) {
  EXPECT_THROW(profile_of({operation("aten::mm", 0, 1)}, "step", half), ArgumentError);
}

TEST(Trace, OperationsNestWithinTheirThread) {
  const std::vector<Operation> operations = traced_step();
  ASSERT_GT(operations.size(), 5U);
  std::vector<const Operation*> open;
  for (const Operation& one : operations) {
    EXPECT_LE(one.start, one.end) << one.name;
    if (!open.empty() && open.back()->thread != one.thread) open.clear();
    while (!open.empty() && open.back()->end <= one.start) open.pop_back();
    if (!open.empty()) {
      EXPECT_GE(open.back()->end, one.end) << one.name << " in " << open.back()->name;
    }
    open.push_back(&one);
  }
}

TEST(Trace, AConvolutionsBackwardPassKeepsItsForm) {
  std::shared_ptr<const ConvolutionBackward> found;
  for (const Operation& one : traced_step()) {
    if (one.convolution) found = one.convolution;
  }
  ASSERT_TRUE(found);
  EXPECT_EQ(found->weight.sizes, (std::vector<std::int64_t>{4, 3, 3, 3}));
  EXPECT_EQ(found->input.sizes, (std::vector<std::int64_t>{2, 3, 8, 8}));
  EXPECT_EQ(found->upstream.sizes, (std::vector<std::int64_t>{2, 4, 8, 8}));
  EXPECT_EQ(found->padding.front(), 1);
  EXPECT_FALSE(found->to_input) << "the pictures need no gradient";
  EXPECT_TRUE(found->to_weight);
}

TEST(Trace, NothingIsWatchedAfterItsEnd) {
  Trace trace(at::kCPU);
  const at::Tensor a = at::ones({2, 2});
  const std::size_t before = trace.finish().size();
  at::mm(a, a);
  EXPECT_GT(before, 0U);
  EXPECT_TRUE(trace.finish().empty());
}

TEST(Trace, ItsJsonHoldsEveryOperationAsACompleteEvent) {
  const std::vector<Operation> operations = traced_step();
  const auto json = nlohmann::json::parse(chrome_trace(operations));
  const auto& events = json.at("traceEvents");
  ASSERT_EQ(events.size(), operations.size());
  std::map<std::string, int> parts;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].at("name"), operations[i].name);
    EXPECT_EQ(events[i].at("ph"), "X");
    EXPECT_DOUBLE_EQ(events[i].at("ts").get<double>(),
                     static_cast<double>(operations[i].start) * 1e-3);
    EXPECT_GE(events[i].at("dur").get<double>(), 0);
    ++parts[events[i].at("cat").get<std::string>()];
  }
  EXPECT_GT(parts["convolution, forward"], 0);
  EXPECT_GT(parts["linear"], 0);
}

TEST(DataShare, IsAShareAndExactWhereOneGradientIsNotAskedFor) {
  const TensorForm image{.sizes = {2, 8, 8, 8}, .strides = {512, 1, 64, 8}};
  ConvolutionBackward call{.upstream = image,
                           .input = image,
                           .weight = {.sizes = {8, 8, 3, 3}, .strides = {72, 9, 3, 1}},
                           .stride = {1, 1},
                           .padding = {1, 1},
                           .dilation = {1, 1}};
  const DataShare share = measured_data_share();
  const double both = share(call);
  EXPECT_GT(both, 0);
  EXPECT_LT(both, 1);
  EXPECT_EQ(share(call), both) << "measured once";
  call.to_input = false;
  EXPECT_EQ(share(call), 0);
  call.to_input = true;
  call.to_weight = false;
  EXPECT_EQ(share(call), 1);
}

}  // namespace
}  // namespace tinta::experiment
