#include "tinta/lab/rows.h"

#include <array>
#include <cmath>

#include "tinta/config/lab_rows.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::lab {

std::span<const Row> rows() {
  static const std::array<Row, 19> all = {{
      {"ink-drop", ink_drop},
      {"forward-strip", forward_strip},
      {"forward-condor", forward_condor},
      {"closed-form", closed_form},
      {"heated-gas", heated_gas},
      {"posterior", posterior},
      {"mean-forms", mean_forms},
      {"loss-weights", loss_weights},
      {"optimise", optimise},
      {"langevin-full", langevin_full},
      {"langevin-overdamped", langevin_overdamped},
      {"score-field", score_field},
      {"learned-density", learned_density},
      {"stochastic-force", stochastic_force},
      {"reverse-langevin", reverse_langevin},
      {"single-image", single_image},
      {"train-mnist", train_mnist},
      {"cifar10", cifar10},
      {"tasks", tasks},
  }};
  return all;
}

const Row& find_row(const std::string& name) {
  for (const Row& row : rows()) {
    if (row.name == name) return row;
  }
  const std::vector<std::string> known = config::lab_row_names();
  throw ArgumentError("[lab] expected a row, got \"" + name + "\"" + suggestion(name, known));
}

bool Check::pass() const {
  switch (comparison) {
    case Comparison::within:
      return std::abs(value - expected) <= tolerance;
    case Comparison::at_most:
      return value <= expected + tolerance;
    case Comparison::at_least:
      return value >= expected - tolerance;
  }
  return false;
}

config::ProcessConfig Context::process(const config::ProcessConfig& own) const {
  config::RunConfig config;
  config.process = own;
  config.sampling.steps = 1;  // at most T, of which only T is asked here
  if (steps) config.process.steps = *steps;
  for (const std::string& assignment : overrides) config::set(config, assignment);
  config::require_valid(config, "lab");
  return config.process;
}

}  // namespace tinta::lab
