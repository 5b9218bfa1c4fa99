#pragma once

#include <functional>
#include <vector>

namespace tinta::lab {

/// The Boltzmann density exp(-U(x) / kT) / Z of one coordinate, by quadrature: what stationary
/// samples are held against.
class Boltzmann {
 public:
  /// @param energy U(x) in closed form, apart from physics/potential.h
  /// @param low, high where the density has vanished to rounding
  Boltzmann(std::function<double(double)> energy, double temperature, double low, double high);

  [[nodiscard]] double density(double x) const;
  [[nodiscard]] double mean(const std::function<double(double)>& f) const;
  [[nodiscard]] double mean_energy() const { return mean(energy_); }
  /// Probability of each cell between rising edges; the outermost ones reach to low and high.
  [[nodiscard]] std::vector<double> shares(std::vector<double> edges) const;

 private:
  std::function<double(double)> energy_;
  double temperature_, low_, high_;
  double partition_ = 1;
};

/// U = barrier ((x / half_distance)^2 - 1)^2.
std::function<double(double)> double_well_energy(double half_distance, double barrier);

}  // namespace tinta::lab
