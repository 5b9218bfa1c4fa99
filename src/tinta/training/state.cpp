#include "tinta/training/state.h"

#include <ATen/ATen.h>

#include <cmath>
#include <map>
#include <sstream>

#include "tinta/core/error.h"
#include "tinta/kernels/adamw.h"

namespace tinta::training {

TrainingState TrainingState::fresh(const NamedTensors& weights,
                                   const std::vector<double>& relative_widths) {
  TrainingState state;
  state.relative_widths = relative_widths;
  for (const auto& [name, weight] : weights) {
    const at::Tensor start = weight.detach().to(at::kFloat).contiguous();
    state.parameters.push_back({.name = name,
                                .master = start.clone(),
                                .m = at::zeros_like(start),
                                .v = at::zeros_like(start),
                                .ema = start.clone()});
    for (std::size_t i = 0; i < relative_widths.size(); ++i) {
      state.parameters.back().tracked.push_back(start.clone());
    }
  }
  return state;
}

NamedTensors TrainingState::masters() const {
  NamedTensors out;
  for (const ParameterState& p : parameters) out.emplace_back(p.name, p.master);
  return out;
}

NamedTensors TrainingState::averages() const {
  NamedTensors out;
  for (const ParameterState& p : parameters) out.emplace_back(p.name, p.ema);
  return out;
}

double TrainingState::weight_norm() const {
  std::vector<at::Tensor> all;
  for (const ParameterState& p : parameters) all.push_back(p.master);
  return std::sqrt(kernels::square_sum(all));
}

NamedTensors TrainingState::tracked(std::size_t which) const {
  NamedTensors out;
  for (const ParameterState& p : parameters) out.emplace_back(p.name, p.tracked.at(which));
  return out;
}

void copy_weights(const NamedTensors& from, const NamedTensors& to) {
  const std::map<std::string, at::Tensor> source(from.begin(), from.end());
  if (from.size() != to.size()) {
    throw ArgumentError("[copy_weights] expected " + std::to_string(to.size()) + " tensors, got " +
                        std::to_string(from.size()));
  }
  for (const auto& [name, target] : to) {
    const auto found = source.find(name);
    if (found == source.end()) {
      throw ArgumentError("[copy_weights] expected a tensor named \"" + name + "\", got none");
    }
    if (found->second.sizes() != target.sizes()) {
      std::ostringstream text;
      text << "[copy_weights] expected " << name << " of shape " << target.sizes() << ", got "
           << found->second.sizes();
      throw ArgumentError(text.str());
    }
    target.detach().copy_(found->second);
  }
}

}  // namespace tinta::training
