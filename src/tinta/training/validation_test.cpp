#include "tinta/training/validation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

/// A validation of the toy, of which a test changes what it is about.
struct Measured {
  explicit Measured(process::Prediction prediction = process::Prediction::eps,
                    std::int64_t classes = 0)
      : pictures(tiny_pictures(30, classes)), network(prediction, classes) {
    averages = TrainingState::fresh(network.named_parameters()).averages();
  }

  std::optional<Validation> run(const StopRequested& stop = {}) {
    return validate({network, schedule, pictures, config}, 40, averages, {}, stop);
  }

  process::VpSchedule schedule{process::LinearBeta{.steps = 20, .start = 0.01, .end = 0.3}};
  data::Dataset pictures;
  config::TrainingConfig config{.batch = 8, .seed = 3, .validation_images = 0};
  Line network;
  NamedTensors averages;
};

/// The network that says zero, whatever it is asked.
void silence(Measured& measured) {
  for (auto& [name, weight] : measured.averages) weight.zero_();
}

// A network that says zero of x_0 misses by x_0 itself, at every noise level.
TEST(Validation, OfASilentNetworkIsTheMeanSquareOfThePictures) {
  Measured measured(process::Prediction::x0);
  silence(measured);
  const Validation found = measured.run().value();
  const at::Tensor pixels = measured.pictures.images.to(at::kDouble) / 127.5 - 1;
  const at::Tensor squares = pixels.square().flatten(1).mean(1);
  const double mean = squares.mean().item<double>();
  const double error = squares.std().item<double>() / std::sqrt(30.0);
  EXPECT_EQ(found.step, 40u);
  EXPECT_NEAR(found.loss.mean, mean, 1e-6);
  EXPECT_NEAR(found.loss.standard_error, error, 1e-6);
  ASSERT_EQ(found.bins.size(), 10u);
  for (const ValidationBin& bin : found.bins) {
    EXPECT_NEAR(bin.loss.mean, mean, 1e-6);
    EXPECT_NEAR(bin.loss.standard_error, error, 1e-6);
    EXPECT_EQ(bin.count, 30);
  }
}

// One that says zero of eps misses by the noise: a mean of 1200 squares of standard normals, within
// 5 standard errors of 1.
TEST(Validation, TheNoiseOfEachBinAndPictureIsItsOwn) {
  Measured measured;
  silence(measured);
  const Validation found = measured.run().value();
  EXPECT_NEAR(found.loss.mean, 1, 5 * std::sqrt(2.0 / 1200));
  for (std::size_t i = 1; i < found.bins.size(); ++i) {
    EXPECT_NE(found.bins[i].loss.mean, found.bins[0].loss.mean) << i;
    EXPECT_GT(found.bins[i].loss.standard_error, 0) << i;
  }
}

TEST(Validation, AsksEachPictureAtAStepOfEachBin) {
  for (const int steps : {20, 25, 7, 1}) {
    Measured measured;
    measured.schedule = process::VpSchedule(process::LinearBeta{.steps = steps});
    measured.config.batch = 30;  // all of a bin at once
    std::vector<at::Tensor> asked;
    measured.network.spoil = [&](const at::Tensor& out, const Line& line) {
      asked.push_back(line.last.time);
      EXPECT_FALSE(line.last.training.has_value());
      return out;
    };
    const Validation found = measured.run().value();
    ASSERT_EQ(found.bins.size(), static_cast<std::size_t>(std::min(steps, 10)));
    ASSERT_EQ(asked.size(), found.bins.size());
    int next = 1;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      EXPECT_EQ(found.bins[i].t_low, next) << "without a gap";
      next = found.bins[i].t_high + 1;
      EXPECT_EQ(asked[i].min().item<float>(), static_cast<float>(found.bins[i].t_low));
      EXPECT_EQ(asked[i].max().item<float>(), static_cast<float>(found.bins[i].t_high));
    }
    EXPECT_EQ(next, steps + 1);
  }
}

TEST(Validation, IsTheSameEachTimeAndAnotherForOtherWeights) {
  Measured measured;
  const Validation once = measured.run().value();
  const Validation again = measured.run().value();
  EXPECT_EQ(once.loss.mean, again.loss.mean);
  EXPECT_EQ(once.loss.standard_error, again.loss.standard_error);
  measured.averages[0].second.fill_(0.31);
  EXPECT_NE(once.loss.mean, measured.run()->loss.mean);
}

TEST(Validation, DoesNotDependOnHowManyAreDoneAtATime) {
  Measured measured;
  const Validation eight = measured.run().value();
  measured.config.batch = 30;
  const Validation all = measured.run().value();
  measured.config.batch = 12;
  measured.config.accumulate = 4;
  const Validation three = measured.run().value();
  EXPECT_NEAR(eight.loss.mean, all.loss.mean, 1e-7);
  EXPECT_NEAR(three.loss.mean, all.loss.mean, 1e-7);
  EXPECT_NEAR(three.bins[4].loss.mean, all.bins[4].loss.mean, 1e-7);
}

// Of 20 steps in 10 bins all weigh the same; of 25 the bins of three steps weigh half as much
// again.
TEST(Validation, BinsWeighAsManyStepsAsTheyHold) {
  Measured measured;
  measured.schedule = process::VpSchedule(process::LinearBeta{.steps = 25});
  const Validation found = measured.run().value();
  double sum = 0;
  for (const ValidationBin& bin : found.bins) {
    sum += bin.loss.mean * (bin.t_high - bin.t_low + 1) / 25;
  }
  EXPECT_NEAR(found.loss.mean, sum, 1e-12);
}

TEST(Validation, TakesSoManyPicturesAndLabelsAsTheyAre) {
  Measured measured(process::Prediction::eps, 3);
  measured.config.validation_images = 7;
  measured.config.class_dropout = 1;
  measured.network.spoil = [](const at::Tensor& out, const Line& line) {
    EXPECT_LT(line.last.labels.max().item<std::int64_t>(), 3) << "the null class";
    return out;
  };
  EXPECT_EQ(measured.run()->bins[0].count, 7);
  measured.config.validation_images = 1000;
  EXPECT_EQ(measured.run()->bins[0].count, 30);
}

TEST(Validation, IsNothingWhereItWasStopped) {
  Measured measured;
  int asked = 0;
  EXPECT_FALSE(measured.run([&] { return ++asked == 5; }).has_value());
  EXPECT_EQ(asked, 5);
}

}  // namespace
}  // namespace tinta::training
