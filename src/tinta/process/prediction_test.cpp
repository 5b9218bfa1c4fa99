#include "tinta/process/prediction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tinta/config/names.h"
#include "tinta/core/error.h"
#include "tinta/process/edm.h"

namespace tinta::process {
namespace {

const std::vector<Prediction> kAll = {Prediction::eps, Prediction::x0, Prediction::v,
                                      Prediction::edm};

struct Point {
  NoiseLevel level;
  at::Tensor x0 = at::tensor({0.8, -0.3, 0.05, -1.0}, at::kDouble);
  at::Tensor eps = at::tensor({-1.2, 0.4, 2.0, 0.0}, at::kDouble);

  [[nodiscard]] at::Tensor x_t() const { return level.a * x0 + level.s * eps; }
  [[nodiscard]] at::Tensor output(Prediction kind) const {
    if (kind == Prediction::edm) {
      const Preconditioning c = preconditioning(level);
      return c.on_x0 * x0 + c.on_eps * eps;
    }
    return target(kind, x0, eps, at::scalar_tensor(level.a, at::kDouble),
                  at::scalar_tensor(level.s, at::kDouble));
  }
};

// Variance-preserving levels, and one of EDM's form (a = 1), where a^2 + s^2 is not 1.
std::vector<Point> points() {
  return {Point{{.a = 0.6, .s = 0.8}}, Point{{.a = std::sqrt(1e-3), .s = std::sqrt(1 - 1e-3)}},
          Point{{.a = std::sqrt(1 - 1e-4), .s = 1e-2}}, Point{{.a = 1, .s = 3}},
          Point{{.a = 1, .s = 0.7, .time = 0, .data = 0.5}}};
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Convert, AnyMeaningIntoAnyOtherFromTheDefinitions) {
  for (const Point& p : points()) {
    for (const Prediction from : kAll) {
      for (const Prediction to : kAll) {
        const at::Tensor converted = convert(p.output(from), from, to, p.x_t(), p.level);
        EXPECT_LT(largest_difference(converted, p.output(to)), 1e-11)
            << to_string(from) << " -> " << to_string(to) << " at a = " << p.level.a;
      }
    }
  }
}

TEST(Convert, RoundTripsGiveBackTheOutput) {
  for (const Point& p : points()) {
    const at::Tensor output = at::tensor({0.1, -2.0, 0.7, 1.5}, at::kDouble);
    for (const Prediction from : kAll) {
      for (const Prediction to : kAll) {
        const at::Tensor there = convert(output, from, to, p.x_t(), p.level);
        EXPECT_LT(largest_difference(convert(there, to, from, p.x_t(), p.level), output), 1e-11);
      }
    }
  }
}

TEST(Convert, ConvertedPairsExplainXt) {
  for (const Point& p : points()) {
    for (const Prediction from : kAll) {
      const at::Tensor output = at::tensor({0.1, -2.0, 0.7, 1.5}, at::kDouble);
      const at::Tensor x0 = convert(output, from, Prediction::x0, p.x_t(), p.level);
      const at::Tensor eps = convert(output, from, Prediction::eps, p.x_t(), p.level);
      EXPECT_LT(largest_difference(p.level.a * x0 + p.level.s * eps, p.x_t()), 1e-12);
    }
  }
}

TEST(Convert, RefusesToDivideByZero) {
  const at::Tensor x = at::zeros({2});
  const NoiseLevel clean{.a = 1, .s = 0}, noise{.a = 0, .s = 1};
  EXPECT_THROW(convert(x, Prediction::x0, Prediction::eps, x, clean), ArgumentError);
  EXPECT_THROW(convert(x, Prediction::x0, Prediction::v, x, clean), ArgumentError);
  EXPECT_THROW(convert(x, Prediction::eps, Prediction::x0, x, noise), ArgumentError);
  EXPECT_THROW(convert(x, Prediction::eps, Prediction::v, x, noise), ArgumentError);
  EXPECT_TRUE(convert(x, Prediction::x0, Prediction::x0, x, clean).equal(x));
  EXPECT_NO_THROW(convert(x, Prediction::v, Prediction::x0, x, noise));
  EXPECT_NO_THROW(convert(x, Prediction::v, Prediction::eps, x, clean));
  EXPECT_THROW(convert(x, Prediction::x0, Prediction::edm, x, clean), ArgumentError);
  EXPECT_THROW(convert(x, Prediction::eps, Prediction::edm, x, noise), ArgumentError);
  EXPECT_NO_THROW(convert(x, Prediction::edm, Prediction::x0, x, clean));
}

TEST(Convert, RefusesAnOutputOfAnotherSize) {
  EXPECT_THROW(convert(at::zeros({2, 1}), Prediction::eps, Prediction::x0, at::zeros({2, 3}),
                       NoiseLevel{.a = 0.6, .s = 0.8}),
               ArgumentError);
}

TEST(Prediction, NamesRoundTrip) {
  for (const Prediction kind : kAll) EXPECT_EQ(prediction_from(to_string(kind)), kind);
  // The front validates names without torch, so it keeps a list of its own.
  for (const std::string& name : config::prediction_names()) {
    EXPECT_EQ(to_string(prediction_from(name)), name);
  }
  EXPECT_EQ(config::prediction_names().size(), kAll.size());
  EXPECT_THROW(prediction_from("epsilon"), ArgumentError);
  EXPECT_THROW(prediction_from(""), ArgumentError);
}

}  // namespace
}  // namespace tinta::process
