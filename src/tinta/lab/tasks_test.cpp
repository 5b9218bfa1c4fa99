#include "tinta/lab/tasks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "tinta/data/glyphs.h"
#include "tinta/lab/test_support.h"

namespace tinta::lab {
namespace {

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
