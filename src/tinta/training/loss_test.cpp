#include "tinta/training/loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "tinta/core/statistics.h"
#include "tinta/process/edm.h"
#include "tinta/training/optimizer.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

data::Batch blank_batch(std::int64_t count, std::uint64_t first_sample, std::int64_t classes = 0) {
  data::Batch batch{.x0 = at::zeros({count, 1, 2, 2}), .labels = {}, .first_sample = first_sample};
  if (classes > 0) {
    batch.labels = at::arange(count, at::kLong)
                       .add(static_cast<std::int64_t>(first_sample))
                       .remainder(classes);
  }
  return batch;
}

std::vector<std::int64_t> values(const at::Tensor& x) {
  const auto* begin = x.const_data_ptr<std::int64_t>();
  return {begin, begin + x.numel()};
}

// P(chi^2 of 2 m degrees of freedom > x), in closed form.
double chi_square_tail(double x, int m) {
  double term = std::exp(-x / 2);
  double sum = 0;
  for (int j = 0; j < m; ++j) {
    sum += term;
    term *= x / 2 / (j + 1);
  }
  return sum;
}

// With another seed a correct program would fail once in a million.
TEST(Draw, TimeIsUniformFromOneToT) {
  constexpr int kSteps = 11;
  constexpr int kCount = 22000;
  std::array<int, kSteps + 1> seen{};
  for (const std::int64_t t : values(draw(blank_batch(kCount, 0), kSteps, 0, 0, 1).t)) {
    ASSERT_GE(t, 1);
    ASSERT_LE(t, kSteps);
    ++seen[static_cast<std::size_t>(t)];
  }
  double chi_square = 0;
  for (int t = 1; t <= kSteps; ++t) {
    const double expected = static_cast<double>(kCount) / kSteps;
    const double excess = seen[static_cast<std::size_t>(t)] - expected;
    chi_square += excess * excess / expected;
  }
  EXPECT_GT(chi_square_tail(chi_square, (kSteps - 1) / 2), 1e-6) << chi_square;
}

// Each end is missed with probability e^-20.
TEST(Draw, TimeReachesBothEndsOfAThousandSteps) {
  const at::Tensor t = draw(blank_batch(20000, 77), 1000, 0, 0, 2).t;
  EXPECT_EQ(t.min().item<std::int64_t>(), 1);
  EXPECT_EQ(t.max().item<std::int64_t>(), 1000);
  EXPECT_TRUE(draw(blank_batch(100, 0), 1, 0, 0, 3).t.eq(1).all().item<bool>());
}

TEST(Draw, DoesNotDependOnHowSamplesAreSplitIntoBatches) {
  const std::uint64_t first = 1000000000000;  // beyond 32 bits
  const Draws whole = draw(blank_batch(8, first, 3), 1000, 3, 0.5, 4);
  for (std::int64_t half = 0; half < 2; ++half) {
    const std::int64_t begin = 4 * half;
    const Draws part =
        draw(blank_batch(4, first + static_cast<std::uint64_t>(begin), 3), 1000, 3, 0.5, 4);
    EXPECT_TRUE(at::equal(part.t, whole.t.narrow(0, begin, 4)));
    EXPECT_TRUE(same_bits(part.noise, whole.noise.narrow(0, begin, 4)));
    EXPECT_TRUE(at::equal(part.labels, whole.labels.narrow(0, begin, 4)));
  }
  const Draws again = draw(blank_batch(8, first, 3), 1000, 3, 0.5, 5);
  EXPECT_FALSE(at::equal(again.t, whole.t)) << "another seed";
  EXPECT_FALSE(at::equal(again.noise, whole.noise));
  const Draws later = draw(blank_batch(8, first + 8, 3), 1000, 3, 0.5, 4);
  EXPECT_FALSE(at::equal(later.t, whole.t)) << "other samples";
  EXPECT_FALSE(at::equal(later.noise, whole.noise));
}

// Five standard errors on each: a correct program would fail at another seed once in 500,000.
TEST(Draw, NoiseIsStandardNormal) {
  const at::Tensor noise = draw(blank_batch(10000, 0), 10, 0, 0, 6).noise.to(at::kDouble);
  EXPECT_EQ(noise.sizes(), (at::IntArrayRef{10000, 1, 2, 2}));
  EXPECT_NEAR(noise.mean().item<double>(), 0, 5 / std::sqrt(40000));
  EXPECT_NEAR(noise.square().mean().item<double>(), 1, 5 * std::sqrt(2.0 / 40000));
}

// Five standard deviations of a binomial: a correct program would fail once in 1.7 million seeds.
TEST(Draw, AShareOfTheLabelsBecomesTheNullClassAndTheRestStay) {
  const data::Batch batch = blank_batch(20000, 0, 10);
  const at::Tensor before = batch.labels.clone();
  const at::Tensor labels = draw(batch, 1000, 10, 0.1, 7).labels;
  const at::Tensor null = labels.eq(10);
  EXPECT_NEAR(null.sum().item<double>(), 2000, 5 * std::sqrt(20000 * 0.1 * 0.9));
  EXPECT_TRUE(labels.eq(before).logical_or(null).all().item<bool>());
  EXPECT_TRUE(at::equal(batch.labels, before)) << "the batch's own labels are left alone";
}

TEST(Draw, AllLabelsOrNoneAreDroppedAtTheEndsOfTheShare) {
  const data::Batch batch = blank_batch(500, 3, 4);
  EXPECT_TRUE(at::equal(draw(batch, 10, 4, 0, 8).labels, batch.labels));
  EXPECT_TRUE(draw(batch, 10, 4, 1, 8).labels.eq(4).all().item<bool>());
}

TEST(Draw, PicturesWithoutLabelsAreOfTheNullClassAndAnUnconditionalNetworkGetsNone) {
  EXPECT_TRUE(draw(blank_batch(5, 0), 10, 4, 0, 9).labels.eq(4).all().item<bool>());
  EXPECT_FALSE(draw(blank_batch(5, 0, 3), 10, 0, 0.5, 9).labels.defined());
}

// Three pictures of two pixels at t = 1, 3, 2, with alpha_bar = 0.8, 0.4, 0.16.
struct ByHand {
  process::VpSchedule schedule{std::vector<double>{0.2, 0.5, 0.6}};
  std::array<double, 3> alpha_bar{0.8, 0.16, 0.4};  // of each picture
  std::array<double, 6> x0{0.5, -1, 0.25, 0.75, -0.5, 1};
  std::array<double, 6> noise{1.5, -0.25, 0.5, -2, 0.125, 0.75};

  [[nodiscard]] static at::Tensor pictures(const std::array<double, 6>& numbers) {
    return at::tensor(at::ArrayRef<double>(numbers), at::kFloat).reshape({3, 1, 1, 2});
  }
  [[nodiscard]] data::Batch batch() const {
    return {.x0 = pictures(x0), .labels = {}, .first_sample = 12};
  }
  [[nodiscard]] Draws draws() const {
    return {.t = at::tensor({1, 3, 2}, at::kLong), .noise = pictures(noise), .labels = {}};
  }
};

struct Losses {
  double loss = 0;
  double on_scale = 0;   // derivative
  double on_offset = 0;  // derivative
};

// The loss of scale * x_t + offset, one pixel after the other.
Losses by_hand(const ByHand& c, process::Prediction prediction, double scale, double offset) {
  Losses sums;
  for (std::size_t i = 0; i < 6; ++i) {
    const double a = std::sqrt(c.alpha_bar[i / 2]);
    const double s = std::sqrt(1 - c.alpha_bar[i / 2]);
    const double x_t = a * c.x0[i] + s * c.noise[i];
    double wanted = c.noise[i];
    if (prediction == process::Prediction::x0) wanted = c.x0[i];
    if (prediction == process::Prediction::v) wanted = a * c.noise[i] - s * c.x0[i];
    const double miss = scale * x_t + offset - wanted;
    sums.loss += miss * miss / 6;
    sums.on_scale += 2 * miss * x_t / 6;
    sums.on_offset += 2 * miss / 6;
  }
  return sums;
}

class SimpleLoss : public testing::TestWithParam<process::Prediction> {};

// Sums of six numbers near 1 in single precision.
TEST_P(SimpleLoss, AndItsGradientAreTheMeanOverPixelsWorkedByHand) {
  const ByHand known;
  Line network(GetParam());
  const at::Tensor loss = simple_loss(network, known.schedule, known.batch(), known.draws(), 99);
  loss.backward();
  const Losses wanted = by_hand(known, GetParam(), 0.3, 0.1);
  EXPECT_NEAR(loss.item<double>(), wanted.loss, 1e-6);
  EXPECT_NEAR(network.scale.grad().item<double>(), wanted.on_scale, 1e-6);
  EXPECT_NEAR(network.offset.grad().item<double>(), wanted.on_offset, 1e-6);
}

// Each picture has two pixels here: their mean square is its own loss, the mean of which is the
// batch's.
TEST_P(SimpleLoss, IsTheMeanOfEachPicturesOwn) {
  const ByHand known;
  Line network(GetParam());
  const BatchLoss loss = batch_loss(network, known.schedule, known.batch(), known.draws(), 99);
  ASSERT_EQ(loss.each.sizes(), (std::vector<std::int64_t>{3}));
  EXPECT_FALSE(loss.each.requires_grad());
  for (std::int64_t i = 0; i < 3; ++i) {
    data::Batch one = known.batch();
    Draws draws = known.draws();
    one.x0 = one.x0.slice(0, i, i + 1);
    draws.t = draws.t.slice(0, i, i + 1);
    draws.noise = draws.noise.slice(0, i, i + 1);
    const double own = simple_loss(network, known.schedule, one, draws, 99).item<double>();
    EXPECT_NEAR(loss.each[i].item<double>(), own, 1e-6);
  }
  const at::Tensor both = loss.values();
  ASSERT_EQ(both.sizes(), (std::vector<std::int64_t>{4}));
  EXPECT_TRUE(same_bits(both.slice(0, 0, 1), loss.mean.reshape({1})));
  EXPECT_TRUE(same_bits(both.slice(0, 1), loss.each));
}

TEST_P(SimpleLoss, FallsAlongItsGradient) {
  const ByHand known;
  Line network(GetParam());
  TrainingState state = TrainingState::fresh(network.named_parameters());
  Optimizer optimizer(network, state);
  const auto loss = [&] {
    return simple_loss(network, known.schedule, known.batch(), known.draws(), 0);
  };
  double before = loss().item<double>();
  for (int i = 0; i < 5; ++i) {
    loss().backward();
    optimizer.step({}, 1e-2, optimizer.gradient_norm());
    const double after = loss().item<double>();
    EXPECT_LT(after, before);
    before = after;
  }
}

INSTANTIATE_TEST_SUITE_P(Predictions, SimpleLoss,
                         testing::Values(process::Prediction::eps, process::Prediction::x0,
                                         process::Prediction::v),
                         [](const auto& item) { return process::to_string(item.param); });

// EDM's loss as the paper has it (eq. 8): lambda(sigma) |D(x_0 + sigma eps; sigma) - x_0|^2 with
// lambda = (sigma^2 + data^2) / (sigma data)^2 and D = c_skip x + c_out F(c_in x; ln(sigma) / 4).
TEST(EdmLoss, IsTheWeightedDistanceOfTheDenoiser) {
  const ByHand known;
  const process::EdmSchedule schedule({.schedule = "edm", .steps = 10});
  Draws draws = known.draws();
  draws.t = at::tensor({100'000'000, 1'000'000'000, 536'870'912}, at::kLong);
  Line network(process::Prediction::edm);
  data::Batch batch = known.batch();
  batch.augment = at::ones({3, 9});
  const BatchLoss loss = batch_loss(network, schedule, batch, draws, 99);
  double sum = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const std::array<double, 3> share = {1e8, 1e9, 536'870'912};
    const double z = normal_quantile((share.at(i / 2) - 0.5) / (1 << 30));
    const double sigma = std::exp(-1.2 + 1.2 * z), data = 0.5;
    const double d2 = sigma * sigma + data * data;
    const double x = known.x0.at(i) + sigma * known.noise.at(i);
    const double f = 0.3 * x / std::sqrt(d2) + 0.1;  // of Line
    const double denoised = data * data / d2 * x + sigma * data / std::sqrt(d2) * f;
    const double miss = denoised - known.x0.at(i);
    sum += d2 / (sigma * sigma * data * data) * miss * miss / 6;
    EXPECT_NEAR(network.last.time[static_cast<std::int64_t>(i / 2)].item<double>(),
                std::log(sigma) / 4, 1e-6);
  }
  EXPECT_NEAR(loss.mean.item<double>(), sum, 1e-5 * sum);
  EXPECT_TRUE(at::equal(network.last.training->augment, batch.augment));
  // A validation asks about pictures to which nothing was done.
  (void)picture_losses(network, schedule, batch, draws);
  EXPECT_FALSE(network.last.training.has_value());
}

TEST(SimpleLossCall, TellsTheNetworkTimeLabelsAndTrainingPass) {
  const ByHand known;
  Line network(process::Prediction::eps, 4);
  Draws draws = known.draws();
  draws.labels = at::tensor({2, 4, 0}, at::kLong);
  (void)simple_loss(network, known.schedule, known.batch(), draws, 99);
  EXPECT_TRUE(same_bits(network.last.time, at::tensor({1.0f, 3.0f, 2.0f})));
  EXPECT_TRUE(at::equal(network.last.labels, draws.labels));
  const process::TrainingPass key = network.last.training.value();
  EXPECT_EQ(key.seed, 99u);
  EXPECT_EQ(key.first_sample, 12u);
}

TEST(SimpleLossCall, LabelsReachTheirOwnParametersOnly) {
  const ByHand known;
  Line network(process::Prediction::eps, 4);
  Draws draws = known.draws();
  draws.labels = at::tensor({2, 4, 2}, at::kLong);
  simple_loss(network, known.schedule, known.batch(), draws, 99).backward();
  const at::Tensor moved = network.offset.grad().ne(0).to(at::kLong);
  EXPECT_EQ(values(moved), (std::vector<std::int64_t>{0, 0, 1, 0, 1}));
}

}  // namespace
}  // namespace tinta::training
