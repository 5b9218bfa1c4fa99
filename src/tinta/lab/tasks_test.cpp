#include "tinta/lab/tasks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tinta/data/glyphs.h"

namespace tinta::lab {
namespace {

// What every class in [classes] knows by heart: the exact denoiser of a finite set of pictures,
// of one class or of all, dressed as a network.
class Memory : public process::TrainableDenoiser {
 public:
  Memory(const data::Dataset& pictures, const process::VpSchedule& schedule)
      : points_(first_pictures(pictures, pictures.size()).flatten(1)),
        labels_(pictures.labels),
        schedule_(schedule) {}

  [[nodiscard]] process::Prediction prediction() const override { return process::Prediction::x0; }
  [[nodiscard]] std::int64_t classes() const override { return 10; }
  at::Tensor forward(const at::Tensor& x_t, const at::Tensor& time, const at::Tensor& labels,
                     const std::optional<process::DropoutKey>&) override {
    const process::NoiseLevel level = schedule_.level(static_cast<int>(time[0].item<float>()));
    const at::Tensor distance = at::cdist(x_t.flatten(1), points_ * level.a).square();
    const at::Tensor asked = labels.unsqueeze(1);
    const at::Tensor fits = (asked == 10).logical_or(asked == labels_.unsqueeze(0));
    const at::Tensor weights =
        (distance / (-2 * level.s * level.s)).masked_fill(fits.logical_not(), -INFINITY).softmax(1);
    return weights.matmul(points_).view(x_t.sizes());
  }
  std::vector<std::pair<std::string, at::Tensor>> named_parameters() override { return {}; }

 private:
  at::Tensor points_, labels_;
  process::VpSchedule schedule_;
};

// The model knows the held-out pictures, not those that the baselines and the classifier learn
// from.
DigitsModel remembering(std::int64_t known_labels_off = 0) {
  const process::VpSchedule schedule(process::LinearBeta{});
  data::Dataset train = data::draw_glyphs({.count = 600, .size = 16});
  data::Dataset test = data::draw_glyphs({.count = 60, .size = 16, .first = 600});
  data::Dataset known = test;
  known.labels = (test.labels + known_labels_off).remainder(10);
  return {.network = std::make_shared<Memory>(known, schedule),
          .config = config::preset("glyphs"),
          .schedule = schedule,
          .train = std::move(train),
          .test = std::move(test),
          .origin = "A test's memory of sixty digits"};
}

Result run(const DigitsModel& model) {
  return tasks_row({.effort = Effort::quick}, model,
                   {.denoised = 10,
                    .filled = 20,
                    .generated = 20,
                    .of_each = 3,
                    .steps = 20,
                    .resamplings = 3,
                    .training = 600});
}

const Check& check_of(const Result& result, const std::string& words) {
  for (const Check& check : result.checks) {
    if (check.what.find(words) != std::string::npos) return check;
  }
  throw std::out_of_range(words);
}

TEST(Tasks, AllHoldForWhoKnowsThePicturesAndFollowFromTheArrays) {
  const Result result = run(remembering());
  for (const Check& check : result.checks) {
    EXPECT_TRUE(check.pass()) << check.what << " " << check.value;
    for (const std::string& name : check.arrays) EXPECT_TRUE(result.arrays.count(name)) << name;
  }
  const auto& arrays = result.arrays;
  EXPECT_DOUBLE_EQ(check_of(result, "class asked for").value,
                   (arrays.at("condition_labels") == arrays.at("condition_recognised"))
                       .to(at::kDouble)
                       .mean()
                       .item<double>());
  const auto hole_error = [&](const char* name) {
    return (arrays.at(name) - arrays.at("inpaint_x0"))
        .to(at::kDouble)
        .square()
        .slice(2, 8)
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(check_of(result, "RePaint's squared error").value,
              hole_error("inpaint_repaint") - hole_error("inpaint_replace"), 1e-9);
  EXPECT_EQ(result.figures.size(), 1U);
  EXPECT_EQ(result.figures[0].figure.panels.size(), 4U);
}

TEST(Tasks, AModelThatMixesUpItsClassesFailsConditionedGeneration) {
  EXPECT_FALSE(check_of(run(remembering(3)), "class asked for").pass());
}

// Where the model was trained on the very pictures that it repeats, they are copies.
TEST(Tasks, AModelThatCopiesItsTrainingPicturesIsFoundOut) {
  DigitsModel model = remembering();
  model.train = model.test;
  model.train.images =
      at::cat({model.train.images, data::draw_glyphs({.count = 200, .size = 16}).images});
  model.train.labels =
      at::cat({model.train.labels, data::draw_glyphs({.count = 200, .size = 16}).labels});
  model.test = data::draw_glyphs({.count = 60, .size = 16, .first = 900});
  EXPECT_FALSE(check_of(run(model), "smallest distance").pass());
}

}  // namespace
}  // namespace tinta::lab
