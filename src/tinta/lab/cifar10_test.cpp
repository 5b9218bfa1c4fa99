#include "tinta/lab/cifar10.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/lab/classifier.h"
#include "tinta/lab/test_support.h"

namespace tinta::lab {
namespace {

using ::testing::HasSubstr;

// Quadratic discriminants, which share no code with the classifier that the row uses.
Judge discriminants(const DigitsModel& model) {
  const auto classifier = std::make_shared<GaussianClassifier>(first_pictures(model.train, 600),
                                                               model.train.labels, model.classes());
  return {.classify =
              [classifier](const at::Tensor& pictures) {
                return classifier->classify(pictures.to(at::kFloat) / 127.5 - 1);
              },
          .origin = "A test's classifier"};
}

// Knows of every noise that the picture below is grey.
class Grey : public process::TrainableDenoiser {
 public:
  [[nodiscard]] process::Prediction prediction() const override { return process::Prediction::x0; }
  [[nodiscard]] std::int64_t classes() const override { return 10; }
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor&, const at::Tensor&,
                     const std::optional<process::TrainingPass>&) override {
    return at::zeros_like(x_t);
  }
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override { return {}; }
};

Result run(const DigitsModel& model, const LossCurve& curve = {}) {
  return cifar10_row({.effort = Effort::quick}, model, discriminants(model), curve);
}

TEST(Cifar10, HoldsForWhoKnowsThePicturesAndFollowsFromTheArrays) {
  const LossCurve curve{.epochs = {1, 2, 3, 4, 5, 6}, .loss = {1, 0.8, 0.6, 0.5, 0.45, 0.4}};
  const Result result = run(remembering(), curve);
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.pass()) << check.what << " " << check.value;
    for (const std::string& name : check.arrays) EXPECT_TRUE(result.arrays.count(name)) << name;
  }
  const auto& arrays = result.arrays;
  const at::Tensor hits = arrays.at("labels") == arrays.at("recognised");
  EXPECT_EQ(hits.size(0), 150);
  EXPECT_DOUBLE_EQ(check_of(result, "class asked for").value,
                   hits.to(at::kDouble).mean().item<double>() - 0.1);
  EXPECT_DOUBLE_EQ(check_of(result, "training loss").value, 0.4 / 1);
  EXPECT_EQ(arrays.at("confusion").sum().item<int>(), 150);
  EXPECT_EQ(arrays.at("confusion").diagonal().sum().item<int>(), hits.sum().item<int>());
  // 15 rows of 10 columns: picture i is of class i modulo 10.
  EXPECT_TRUE(at::equal(arrays.at("labels"), at::arange(150) % 10));
  EXPECT_THAT(result.reading, HasSubstr("15 pictures of each of 10 classes"));
}

TEST(Cifar10, AModelThatMixesUpItsClassesFails) {
  EXPECT_FALSE(check_of(run(remembering(3)), "class asked for").pass());
}

TEST(Cifar10, AJudgeThatGuessesFails) {
  const DigitsModel model = remembering();
  const Judge guess{.classify =
                        [](const at::Tensor& pictures) {
                          return (at::arange(pictures.size(0), at::kLong) * 7 + 3) % 10;
                        },
                    .origin = "A guess"};
  const Result result = cifar10_row({.effort = Effort::quick}, model, guess, {});
  EXPECT_FALSE(check_of(result, "real held-out").pass());
}

TEST(Cifar10, ARunOfAnotherProcessIsDrawnFromAsWell) {
  DigitsModel model = remembering();
  model.network = std::make_shared<Grey>();
  model.config.process.schedule = "edm";
  model.config.sampling.sampler = "heun";
  EXPECT_EQ(run(model).arrays.at("images").size(0), 150);
}

TEST(Cifar10, ALossThatStaysWhereItWasFails) {
  const LossCurve flat{.epochs = {1, 2, 3}, .loss = {1, 1.1, 0.95}};
  EXPECT_FALSE(check_of(run(remembering(), flat), "training loss").pass());
}

}  // namespace
}  // namespace tinta::lab
