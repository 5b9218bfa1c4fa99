#include "tinta/model/classifier.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"
#include "tinta/model/init.h"

namespace tinta::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ClassifierConfig small(std::int64_t channels = 3, std::int64_t side = 16) {
  const auto n = static_cast<std::size_t>(channels);
  return {.channels = channels,
          .height = side,
          .width = side,
          .classes = 4,
          .features = 8,
          .mean = std::vector<double>(n, 0.1),
          .deviation = std::vector<double>(n, 0.5)};
}

at::Tensor pictures(std::int64_t count, const ClassifierConfig& config) {
  return kernels::normal({count, config.channels, config.height, config.width}, {.seed = 3})
      .clamp(-1, 1);
}

std::string refusal(const ClassifierConfig& config) {
  try {
    const Classifier classifier(config);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST(Classifier, ItsLayersAreThoseOfTheFormulaInPlainOperations) {
  const ClassifierConfig config = small();
  Classifier classifier(config);
  initialise(classifier, 1);
  const at::Tensor x = pictures(2, config);
  const auto p = classifier.named_parameters();
  const auto layer = [&](const at::Tensor& in, const std::string& name, bool pooled) {
    at::Tensor h = at::conv2d(in, p[name + "_conv.weight"], p[name + "_conv.bias"], 1, 1);
    if (pooled) h = at::max_pool2d(h, 2);
    return at::silu(at::group_norm(h, 8, p[name + "_norm.weight"], p[name + "_norm.bias"], 1e-5));
  };
  at::Tensor h = layer(layer((x - 0.1) / 0.5, "stem", false), "down1", true);
  h = h + layer(layer(h, "residual1a", false), "residual1b", false);
  h = layer(layer(h, "down2", true), "down3", true);
  h = h + layer(layer(h, "residual3a", false), "residual3b", false);
  const at::Tensor logits =
      at::linear(std::get<0>(h.flatten(2).max(2)), p["head.weight"], p["head.bias"]) / 8;
  EXPECT_LT((classifier.forward(x) - logits).abs().max().item<double>(), 1e-5);
}

TEST(Classifier, TakesDigitsAndColourPictures) {
  for (const std::int64_t channels : {1, 3}) {
    for (const std::int64_t side : {8, 20, 28, 32}) {
      Classifier classifier(small(channels, side));
      initialise(classifier, 1);
      EXPECT_EQ(classifier.forward(pictures(2, classifier.config())).sizes(),
                at::IntArrayRef({2, 4}));
    }
  }
}

TEST(Classifier, MirroredPicturesHaveTheSameLogitsWhereBothAreAsked) {
  ClassifierConfig config = small();
  config.mirrored = true;
  Classifier classifier(config);
  initialise(classifier, 2);
  const at::Tensor x = pictures(3, config);
  const at::Tensor flipped = x.flip({3}).contiguous();
  EXPECT_TRUE(at::allclose(classifier.logits(x), classifier.logits(flipped), 1e-5, 1e-6));
  EXPECT_FALSE(at::allclose(classifier.forward(x), classifier.forward(flipped), 1e-3, 1e-3));
  EXPECT_FALSE(classifier.logits(x).requires_grad());
}

TEST(Classifier, APictureIsToldBySelfAloneWhateverTheBatch) {
  Classifier classifier(small());
  initialise(classifier, 2);
  const at::Tensor x = pictures(5, classifier.config());
  EXPECT_TRUE(
      at::allclose(classifier.forward(x)[4], classifier.forward(x.slice(0, 4))[0], 1e-5, 1e-6));
}

// 2 x 3 x 3 convolution multiply-adds by hand, at each layer's size.
TEST(Classifier, CountsItsWork) {
  const Classifier classifier(small());
  const std::int64_t by_hand =
      9 * (256 * (3 * 8 + 8 * 16) + 64 * (2 * 16 * 16 + 16 * 32) + 16 * 32 * 64 + 4 * 2 * 64 * 64) +
      64 * 4;
  EXPECT_EQ(classifier.multiply_adds(), by_hand);
  const std::int64_t weights = 9 * (3 * 8 + 8 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 64 + 2 * 64 * 64);
  const std::int64_t features = 8 + 3 * 16 + 32 + 3 * 64;  // each has a bias and a norm's two
  EXPECT_EQ(classifier.parameter_count(), weights + 3 * features + 64 * 4 + 4);
}

TEST(Classifier, RefusesEveryBrokenRuleAtOnceAndOtherPictures) {
  EXPECT_THAT(small().problems(), IsEmpty());
  ClassifierConfig config = small();
  config.height = 7;
  config.classes = 1;
  config.features = 12;
  config.mean = {0, 0};
  config.deviation = {1, 0, 1};
  EXPECT_THAT(config.problems(), SizeIs(5));
  EXPECT_THAT(refusal(config), HasSubstr("height: expected 8 to 1024, got 7"));
  EXPECT_THAT(refusal(config), HasSubstr("features: expected a multiple of 8, got 12"));
  EXPECT_THAT(refusal(config), HasSubstr("deviation: expected finite numbers above 0, got 0.0"));
  Classifier classifier(small());
  EXPECT_THROW(classifier.forward(at::zeros({2, 1, 16, 16})), ArgumentError);
  EXPECT_THROW(classifier.forward(at::zeros({3, 16, 16})), ArgumentError);
}

}  // namespace
}  // namespace tinta::model
