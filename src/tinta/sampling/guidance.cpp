#include "tinta/sampling/guidance.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::sampling {
namespace {

constexpr double kConditional = 1;
constexpr double kNull = 0;

/// The labels of the one network call that a scale takes: [B], or [2B] with the null half last.
at::Tensor labels_of_call(const process::TrainableDenoiser& network, const at::Tensor& labels,
                          double scale) {
  if (!std::isfinite(scale)) {
    throw ArgumentError("[GuidedDenoiser] expected a finite scale, got " + shortest(scale));
  }
  const std::int64_t classes = network.classes();
  if (classes == 0 && scale != kConditional) {
    throw ArgumentError("[GuidedDenoiser] expected scale 1 for an unconditional network, got " +
                        shortest(scale));
  }
  if (classes > 0 && !labels.defined()) {
    throw ArgumentError("[GuidedDenoiser] expected labels for a network of " +
                        std::to_string(classes) + " classes, got none");
  }
  if (labels.defined() && labels.dim() != 1) {
    throw ArgumentError(
        c10::str("[GuidedDenoiser] expected labels of sizes [B], got ", labels.sizes()));
  }
  if (scale == kConditional) return labels;
  const at::Tensor null = at::full_like(labels, classes);
  return scale == kNull ? null : at::cat({labels, null});
}

}  // namespace

GuidedDenoiser::GuidedDenoiser(process::TrainableDenoiser& network, const at::Tensor& labels,
                               double scale)
    : scale_(scale), network_(network, labels_of_call(network, labels, scale)) {}

at::Tensor GuidedDenoiser::predict(const at::Tensor& x_t, const process::NoiseLevel& level) const {
  if (scale_ == kConditional || scale_ == kNull) return network_.predict(x_t, level);
  const auto halves = network_.predict(at::cat({x_t, x_t}), level).chunk(2);
  return halves[1] + (halves[0] - halves[1]) * scale_;
}

}  // namespace tinta::sampling
