#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/particles.h"

namespace tinta::kernels {
namespace {

using Kind = PotentialTerm::Kind;

at::Tensor row(const std::vector<double>& values, const at::Tensor& like) {
  return at::tensor(values, at::kDouble).to(like.options());
}

// x - center, [N,D]
at::Tensor from_center(const at::Tensor& x, const PotentialTerm& term) {
  return term.center.empty() ? x : x - row(term.center, x);
}

// 1 for the coordinates that a quadratic term acts on.
at::Tensor mask(const at::Tensor& x, const PotentialTerm& term) {
  std::vector<double> ones(static_cast<std::size_t>(x.size(1)), 1);
  for (std::size_t d = 0; d < term.coordinates.size(); ++d) ones[d] = term.coordinates[d] ? 1 : 0;
  return row(ones, x);
}

at::Tensor term_energy(const at::Tensor& x, const PotentialTerm& term) {
  switch (term.kind) {
    case Kind::quadratic:
      return term.strength / 2 * (from_center(x, term).square() * mask(x, term)).sum(1);
    case Kind::gaussian_well:
      return -term.strength *
             (from_center(x, term).square().sum(1) * (-0.5 / (term.width * term.width))).exp();
    case Kind::double_well:
      return term.strength * ((x.select(1, term.axis) / term.width).square() - 1).square();
  }
  return {};
}

// Adds -grad of a term.
void add_force(at::Tensor& force, const at::Tensor& x, const PotentialTerm& term) {
  switch (term.kind) {
    case Kind::quadratic:
      force.sub_(from_center(x, term) * mask(x, term), term.strength);
      return;
    case Kind::gaussian_well: {
      const double square = term.width * term.width;
      const at::Tensor away = from_center(x, term);
      force.sub_(away * (away.square().sum(1, true) * (-0.5 / square)).exp(),
                 term.strength / square);
      return;
    }
    case Kind::double_well: {
      const at::Tensor u = x.select(1, term.axis) / term.width;
      force.select(1, term.axis).sub_(u * (u.square() - 1), 4 * term.strength / term.width);
    }
  }
}

[[noreturn]] void refuse(const char* where, const std::string& what) {
  throw ArgumentError(std::string("[") + where + "] expected " + what);
}

void require_points(const at::Tensor& x, const char* where) {
  if (x.dim() != 2 || !x.is_floating_point()) refuse(where, "floating positions [N,D]");
}

void require_term(const PotentialTerm& term, std::int64_t dimensions, const char* where) {
  const auto fits = static_cast<std::size_t>(dimensions);
  if ((!term.center.empty() && term.center.size() != fits) || term.coordinates.size() > fits) {
    refuse(where, "centres and masks of " + std::to_string(dimensions) + " numbers, got " +
                      std::to_string(term.center.size()) + " and " +
                      std::to_string(term.coordinates.size()));
  }
  if (term.axis < 0 || term.axis >= dimensions) {
    refuse(where,
           "an axis below " + std::to_string(dimensions) + ", got " + std::to_string(term.axis));
  }
  if (!(term.width > 0) || !std::isfinite(term.width) || !std::isfinite(term.strength)) {
    refuse(where, "a positive width and a finite strength, got " + std::to_string(term.width) +
                      " and " + std::to_string(term.strength));
  }
}

void require_walls(const Walls& walls, std::int64_t dimensions, const char* where) {
  if (walls.kind == Walls::Kind::none) return;
  if (static_cast<std::int64_t>(walls.low.size()) != dimensions ||
      static_cast<std::int64_t>(walls.high.size()) != dimensions) {
    refuse(where, std::to_string(dimensions) + " walls on each side, got " +
                      std::to_string(walls.low.size()) + " and " +
                      std::to_string(walls.high.size()));
  }
  for (std::size_t d = 0; d < walls.low.size(); ++d) {
    const double span = walls.high[d] - walls.low[d];
    if (!(span > 0) || (walls.kind == Walls::Kind::periodic && !std::isfinite(span))) {
      refuse(where, "high walls above low ones, and finite ones where space is periodic, got " +
                        std::to_string(walls.low[d]) + " and " + std::to_string(walls.high[d]));
    }
  }
}

// One coordinate's walls. x, v: [N], changed in place.
void reflect(at::Tensor x, const at::Tensor& v, double low, double high) {
  const at::Tensor below = x < low;
  at::Tensor turned = at::where(below, 2 * low - x, x);
  const at::Tensor above = turned > high;
  turned = at::where(above, 2 * high - turned, turned);
  at::Tensor odd = below.logical_xor(above);
  if (std::isfinite(high - low)) {
    const at::Tensor again = (turned < low).logical_or(turned > high);
    const at::Tensor t = (x - low) / (2 * (high - low));
    const at::Tensor part = t - t.floor();
    const at::Tensor folded = at::where(part > 0.5, 1 - part, part);
    turned = at::where(again, low + 2 * (high - low) * folded, turned);
    odd = at::where(again, part > 0.5, odd);
  }
  x.copy_(turned.clamp(low, high));
  if (v.defined()) v.copy_(at::where(odd, -v, v));
}

void wrap(at::Tensor x, double low, double high) {
  const at::Tensor t = (x - low) / (high - low);
  const at::Tensor wrapped = low + (high - low) * (t - t.floor());
  const at::Tensor outside = (x < low).logical_or(x >= high);
  x.copy_(at::where(outside, at::where(wrapped >= high, at::full_like(x, low), wrapped), x));
}

}  // namespace

at::Tensor potential_energy(const at::Tensor& x, const std::vector<PotentialTerm>& terms) {
  require_points(x, "potential_energy");
  require_fits(terms, {}, x.size(1), "potential_energy");
  at::Tensor energy = at::zeros({x.size(0)}, x.options());
  for (const PotentialTerm& term : terms) energy += term_energy(x, term);
  return energy;
}

at::Tensor potential_force(const at::Tensor& x, const std::vector<PotentialTerm>& terms) {
  require_points(x, "potential_force");
  require_fits(terms, {}, x.size(1), "potential_force");
  at::Tensor force = at::zeros_like(x);
  for (const PotentialTerm& term : terms) add_force(force, x, term);
  return force;
}

void confine(at::Tensor& x, at::Tensor& v, const Walls& walls) {
  require_points(x, "confine");
  require_fits({}, walls, x.size(1), "confine");
  for (std::size_t d = 0; d < walls.low.size(); ++d) {
    const auto axis = static_cast<std::int64_t>(d);
    if (walls.kind == Walls::Kind::reflecting) {
      reflect(x.select(1, axis), v.defined() ? v.select(1, axis) : at::Tensor(), walls.low[d],
              walls.high[d]);
    } else if (walls.kind == Walls::Kind::periodic) {
      wrap(x.select(1, axis), walls.low[d], walls.high[d]);
    }
  }
}

void require_fits(const std::vector<PotentialTerm>& terms, const Walls& walls,
                  std::int64_t dimensions, const char* where) {
  for (const PotentialTerm& term : terms) require_term(term, dimensions, where);
  require_walls(walls, dimensions, where);
}

}  // namespace tinta::kernels
