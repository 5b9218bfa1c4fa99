#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tinta/data/glyphs.h"
#include "tinta/lab/digits_model.h"
#include "tinta/lab/row.h"

// For the tests of this folder only.

namespace tinta::lab {

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
                     const std::optional<process::TrainingPass>&) override {
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
inline DigitsModel remembering(std::int64_t known_labels_off = 0) {
  const process::VpSchedule schedule(process::LinearBeta{});
  data::Dataset train = data::draw_glyphs({.count = 600, .size = 16});
  data::Dataset test = data::draw_glyphs({.count = 60, .size = 16, .first = 600});
  data::Dataset known = test;
  known.labels = (test.labels + known_labels_off).remainder(10);
  return {.network = std::make_shared<Memory>(known, schedule),
          .config = config::preset("glyphs"),
          .train = std::move(train),
          .test = std::move(test),
          .origin = "A test's memory of sixty digits"};
}

inline const Check& check_of(const Result& result, const std::string& words) {
  for (const Check& check : result.checks) {
    if (check.what.find(words) != std::string::npos) return check;
  }
  throw std::out_of_range(words);
}

}  // namespace tinta::lab
