#include "tinta/physics/potential.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::physics {
namespace {

using kernels::PotentialTerm;

class ClosedForm final : public Potential {
 public:
  ClosedForm(std::vector<PotentialTerm> terms, double curvature)
      : terms_(std::move(terms)), curvature_(curvature) {}

  [[nodiscard]] at::Tensor energy(const at::Tensor& x) const override {
    return kernels::potential_energy(x, terms_);
  }
  [[nodiscard]] at::Tensor force(const at::Tensor& x) const override {
    return kernels::potential_force(x, terms_);
  }
  [[nodiscard]] double curvature() const override { return curvature_; }
  [[nodiscard]] std::vector<PotentialTerm> terms() const override { return terms_; }

 private:
  std::vector<PotentialTerm> terms_;
  double curvature_;
};

class Functions final : public Potential {
 public:
  using Function = std::function<at::Tensor(const at::Tensor&)>;
  Functions(Function energy, Function force, double curvature)
      : energy_(std::move(energy)), force_(std::move(force)), curvature_(curvature) {}

  [[nodiscard]] at::Tensor energy(const at::Tensor& x) const override { return energy_(x); }
  [[nodiscard]] at::Tensor force(const at::Tensor& x) const override { return force_(x); }
  [[nodiscard]] double curvature() const override { return curvature_; }

 private:
  Function energy_;
  Function force_;
  double curvature_;
};

class Sum final : public Potential {
 public:
  explicit Sum(std::vector<PotentialPtr> parts) : parts_(std::move(parts)) {}

  [[nodiscard]] at::Tensor energy(const at::Tensor& x) const override {
    at::Tensor total = parts_.front()->energy(x);
    for (std::size_t i = 1; i < parts_.size(); ++i) total = total + parts_[i]->energy(x);
    return total;
  }
  [[nodiscard]] at::Tensor force(const at::Tensor& x) const override {
    at::Tensor total = parts_.front()->force(x);
    for (std::size_t i = 1; i < parts_.size(); ++i) total = total + parts_[i]->force(x);
    return total;
  }
  // Curvatures add at worst.
  [[nodiscard]] double curvature() const override {
    double total = 0;
    for (const PotentialPtr& part : parts_) total += part->curvature();
    return total;
  }
  [[nodiscard]] std::vector<PotentialTerm> terms() const override {
    std::vector<PotentialTerm> all;
    for (const PotentialPtr& part : parts_) {
      const std::vector<PotentialTerm> own = part->terms();
      if (own.empty()) return {};
      all.insert(all.end(), own.begin(), own.end());
    }
    return all;
  }

 private:
  std::vector<PotentialPtr> parts_;
};

void require_finite(double value, const char* where, const char* what) {
  if (!std::isfinite(value)) {
    throw ArgumentError(std::string("[") + where + "] expected a finite " + what + ", got " +
                        std::to_string(value));
  }
}

void require_positive(double value, const char* where, const char* what) {
  if (!(value > 0) || !std::isfinite(value)) {
    throw ArgumentError(std::string("[") + where + "] expected a positive " + what + ", got " +
                        std::to_string(value));
  }
}

// The largest value of sum_k exp(-|x - center_k|^2 / (2 width^2)): wells that overlap add their
// curvatures, each at most depth / width^2 times its exponential. Found from every centre by the
// mean-shift iteration, which climbs.
double densest(const at::Tensor& centers, double width) {
  const auto weights = [&](const at::Tensor& x) {
    return (-at::cdist(x, centers).square() / (2 * width * width)).exp();
  };
  at::Tensor x = centers;
  for (int iteration = 0; iteration < 100; ++iteration) {
    const at::Tensor weight = weights(x);
    x = weight.matmul(centers) / weight.sum(1, true);
  }
  return weights(x).sum(1).max().item<double>();
}

PotentialPtr closed(std::vector<PotentialTerm> terms, double curvature) {
  return std::make_shared<ClosedForm>(std::move(terms), curvature);
}

}  // namespace

PotentialPtr free_space() { return closed({{.strength = 0}}, 0); }

PotentialPtr quadratic(std::vector<double> center, double stiffness) {
  require_finite(stiffness, "quadratic", "stiffness");
  return closed({{.strength = stiffness, .center = std::move(center)}}, std::max(stiffness, 0.0));
}

PotentialPtr gaussian_well(std::vector<double> center, double depth, double width) {
  require_finite(depth, "gaussian_well", "depth");
  require_positive(width, "gaussian_well", "width");
  // A hill's curvature is largest at sqrt(3) widths, where it is 2 exp(-3/2) of a well's.
  const double steepest = depth / (width * width);
  return closed({{.kind = PotentialTerm::Kind::gaussian_well,
                  .strength = depth,
                  .width = width,
                  .center = std::move(center)}},
                depth >= 0 ? steepest : -2 * std::exp(-1.5) * steepest);
}

PotentialPtr double_well(double half_distance, double barrier, double stiffness, int axis) {
  require_positive(half_distance, "double_well", "half_distance");
  require_positive(barrier, "double_well", "barrier");
  require_finite(stiffness, "double_well", "stiffness");
  if (axis < 0) {
    throw ArgumentError("[double_well] expected an axis of at least 0, got " +
                        std::to_string(axis));
  }
  std::vector<bool> others(static_cast<std::size_t>(axis) + 1, true);
  others.back() = false;
  const double curvature = 20 * barrier / (half_distance * half_distance);
  return closed({{.kind = PotentialTerm::Kind::double_well,
                  .strength = barrier,
                  .width = half_distance,
                  .axis = axis},
                 {.strength = stiffness, .coordinates = others}},
                std::max(curvature, stiffness));
}

PotentialPtr multi_well(const at::Tensor& centers, double depth, double width, double confinement) {
  if (centers.dim() != 2 || centers.size(0) < 1) {
    throw ArgumentError("[multi_well] expected centers [K,D] with K >= 1");
  }
  require_finite(depth, "multi_well", "depth");
  require_positive(width, "multi_well", "width");
  require_finite(confinement, "multi_well", "confinement");
  const at::Tensor points = centers.to(at::kCPU, at::kDouble).contiguous();
  std::vector<PotentialTerm> terms{{.strength = confinement}};
  for (std::int64_t k = 0; k < points.size(0); ++k) {
    const auto* row = points.const_data_ptr<double>() + k * points.size(1);
    terms.push_back({.kind = PotentialTerm::Kind::gaussian_well,
                     .strength = depth,
                     .width = width,
                     .center = std::vector<double>(row, row + points.size(1))});
  }
  const double overlap = depth > 0 ? densest(points, width) : 0;
  return closed(std::move(terms),
                std::max(confinement, 0.0) + std::max(depth, 0.0) / (width * width) * overlap);
}

PotentialPtr sum(std::vector<PotentialPtr> parts) {
  if (parts.empty() || std::any_of(parts.begin(), parts.end(), [](const auto& p) { return !p; })) {
    throw ArgumentError("[sum] expected at least one potential, and none null");
  }
  return std::make_shared<Sum>(std::move(parts));
}

PotentialPtr from_functions(std::function<at::Tensor(const at::Tensor&)> energy,
                            std::function<at::Tensor(const at::Tensor&)> force, double curvature) {
  if (!energy || !force) throw ArgumentError("[from_functions] expected an energy and a force");
  return std::make_shared<Functions>(std::move(energy), std::move(force), curvature);
}

}  // namespace tinta::physics
