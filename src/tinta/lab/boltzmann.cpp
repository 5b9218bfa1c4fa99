#include "tinta/lab/boltzmann.h"

#include <cmath>
#include <utility>

#include "tinta/core/statistics.h"

namespace tinta::lab {

namespace {
constexpr std::size_t kIntervals = 4000;
}

Boltzmann::Boltzmann(std::function<double(double)> energy, double temperature, double low,
                     double high)
    : energy_(std::move(energy)), temperature_(temperature), low_(low), high_(high) {
  partition_ = trapezoid([this](double x) { return density(x); }, low_, high_, kIntervals);
}

double Boltzmann::density(double x) const {
  return std::exp(-energy_(x) / temperature_) / partition_;
}

double Boltzmann::mean(const std::function<double(double)>& f) const {
  return trapezoid([&](double x) { return f(x) * density(x); }, low_, high_, kIntervals);
}

std::vector<double> Boltzmann::shares(std::vector<double> edges) const {
  edges.front() = low_;
  edges.back() = high_;
  std::vector<double> shares;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const double part = (edges[i + 1] - edges[i]) / (high_ - low_);
    const auto pairs = static_cast<std::size_t>(std::ceil(part * kIntervals)) + 8;
    shares.push_back(
        simpson([this](double x) { return density(x); }, edges[i], edges[i + 1], 2 * pairs));
  }
  return shares;
}

std::function<double(double)> double_well_energy(double half_distance, double barrier) {
  return [=](double x) {
    const double u = x * x / (half_distance * half_distance) - 1;
    return barrier * u * u;
  };
}

}  // namespace tinta::lab
