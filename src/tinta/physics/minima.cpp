#include "tinta/physics/minima.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "tinta/core/error.h"

namespace tinta::physics {
namespace {

using Cells = std::vector<std::int64_t>;

/// Rising water: cells are added from the lowest up.
class Flood {
 public:
  Flood(const double* energy, std::int64_t side, double min_depth)
      : energy_(energy),
        side_(side),
        min_depth_(min_depth),
        parent_(static_cast<std::size_t>(side * side), -1),
        flows_to_(parent_),
        ended_in_(parent_),
        depth_(parent_.size(), std::numeric_limits<double>::infinity()) {}

  void run() {
    Cells order(parent_.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::int64_t c) { return energy_[c]; });
    for (const std::int64_t cell : order) add(cell);
  }

  [[nodiscard]] double depth(std::int64_t cell) const { return depth_[index(cell)]; }
  /// The lasting minimum that a cell flows to.
  [[nodiscard]] std::int64_t minimum_of(std::int64_t cell) const {
    std::int64_t at = flows_to_[index(cell)];
    while (ended_in_[index(at)] >= 0) at = ended_in_[index(at)];
    return at;
  }
  [[nodiscard]] Cells minima() const {
    Cells out;
    for (std::int64_t cell = 0; cell < side_ * side_; ++cell) {
      if (flows_to_[index(cell)] == cell && ended_in_[index(cell)] < 0) out.push_back(cell);
    }
    std::ranges::stable_sort(out, {}, [&](std::int64_t c) { return energy_[c]; });
    return out;
  }

 private:
  static std::size_t index(std::int64_t cell) { return static_cast<std::size_t>(cell); }

  // A pool's root is its minimum.
  std::int64_t root(std::int64_t cell) {
    while (parent_[index(cell)] != cell) {
      parent_[index(cell)] = parent_[index(parent_[index(cell)])];
      cell = parent_[index(cell)];
    }
    return cell;
  }

  // Neighbours under water.
  [[nodiscard]] Cells wet_neighbours(std::int64_t cell) const {
    Cells out;
    const std::int64_t row = cell / side_;
    const std::int64_t column = cell % side_;
    for (std::int64_t r = std::max<std::int64_t>(row - 1, 0); r <= std::min(row + 1, side_ - 1);
         ++r) {
      for (std::int64_t c = std::max<std::int64_t>(column - 1, 0);
           c <= std::min(column + 1, side_ - 1); ++c) {
        const std::int64_t other = r * side_ + c;
        if (other != cell && parent_[index(other)] >= 0) out.push_back(other);
      }
    }
    return out;
  }

  void add(std::int64_t cell) {
    const Cells wet = wet_neighbours(cell);
    parent_[index(cell)] = cell;
    if (wet.empty()) {
      flows_to_[index(cell)] = cell;
      return;
    }
    const std::int64_t lowest =
        *std::ranges::min_element(wet, {}, [&](std::int64_t c) { return energy_[c]; });
    flows_to_[index(cell)] = flows_to_[index(lowest)];
    parent_[index(cell)] = root(lowest);
    for (const std::int64_t other : wet) join(root(cell), root(other), energy_[cell]);
  }

  void join(std::int64_t a, std::int64_t b, double pass) {
    if (a == b) return;
    if (energy_[b] < energy_[a] || (energy_[b] == energy_[a] && b < a)) std::swap(a, b);
    parent_[index(b)] = a;
    depth_[index(b)] = pass - energy_[b];
    if (depth_[index(b)] < min_depth_) ended_in_[index(b)] = a;
  }

  const double* energy_;
  std::int64_t side_;
  double min_depth_;
  Cells parent_, flows_to_, ended_in_;
  std::vector<double> depth_;
};

// Offset of a parabola's lowest point from the middle of three, in spacings.
double vertex(double before, double middle, double after) {
  const double bend = before - 2 * middle + after;
  return bend > 0 ? std::clamp((before - after) / (2 * bend), -0.5, 0.5) : 0;
}

Minimum describe(const double* energy, const PlaneGrid& grid, std::int64_t cell, double depth) {
  const std::int64_t row = cell / grid.side;
  const std::int64_t column = cell % grid.side;
  Minimum found{
      .x = grid.at(column),
      .y = grid.at(row),
      .energy = energy[cell],
      .depth = depth,
      .cell = cell,
      .at_border = row == 0 || column == 0 || row + 1 == grid.side || column + 1 == grid.side};
  if (column > 0 && column + 1 < grid.side) {
    found.x += grid.spacing() * vertex(energy[cell - 1], energy[cell], energy[cell + 1]);
  }
  if (row > 0 && row + 1 < grid.side) {
    found.y +=
        grid.spacing() * vertex(energy[cell - grid.side], energy[cell], energy[cell + grid.side]);
  }
  return found;
}

double lowest_of_border(const at::Tensor& energy) {
  const std::array<at::Tensor, 4> edges{energy.select(0, 0), energy.select(0, -1),
                                        energy.select(1, 0), energy.select(1, -1)};
  double lowest = std::numeric_limits<double>::infinity();
  for (const at::Tensor& edge : edges) lowest = std::min(lowest, edge.min().item<double>());
  return lowest;
}

}  // namespace

at::Tensor Landscape::basin_of(const PlaneGrid& grid, const at::Tensor& x) const {
  const at::Tensor cells = ((x.to(at::kDouble) + grid.half_side) / grid.spacing())
                               .floor()
                               .clamp(0, static_cast<double>(grid.side - 1))
                               .to(at::kLong);
  return basins.flatten().index_select(0, cells.select(1, 1) * grid.side + cells.select(1, 0));
}

Landscape find_minima(const at::Tensor& given, const PlaneGrid& grid, double min_depth) {
  if (given.sizes() != at::IntArrayRef{grid.side, grid.side} ||
      !given.isfinite().all().item<bool>()) {
    throw ArgumentError(c10::str("[find_minima] expected finite energies of sizes [", grid.side,
                                 ",", grid.side, "], got ", given.sizes()));
  }
  const at::Tensor energy = given.to(at::kDouble).contiguous();
  const auto* values = energy.const_data_ptr<double>();
  Flood flood(values, grid.side, min_depth);
  flood.run();
  const Cells cells = flood.minima();
  Landscape out{.basins = at::empty({grid.side, grid.side}, at::kLong)};
  std::vector<std::int64_t> place(static_cast<std::size_t>(energy.numel()), -1);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    place[static_cast<std::size_t>(cells[i])] = static_cast<std::int64_t>(i);
    const double depth =
        i == 0 ? lowest_of_border(energy) - values[cells[i]] : flood.depth(cells[i]);
    out.minima.push_back(describe(values, grid, cells[i], depth));
  }
  auto* basins = out.basins.mutable_data_ptr<std::int64_t>();
  for (std::int64_t cell = 0; cell < energy.numel(); ++cell) {
    basins[cell] = place[static_cast<std::size_t>(flood.minimum_of(cell))];
  }
  return out;
}

}  // namespace tinta::physics
