#include "tinta/config/lab_rows.h"

#include <algorithm>

namespace tinta::config {

const std::vector<LabRow>& lab_rows() {
  using enum LabOption;
  static const std::vector<LabRow> rows = {
      {"ink-drop",
       "thesis ch. 1, fig. 1.1",
       "a drop of ink spreads in a glass of water until it is everywhere",
       "time steps",
       {steps}},
      {"forward-strip",
       "thesis eq. 2.1, fig. 2.1",
       "a picture destroyed step by step",
       "T of the process",
       {image, steps, process}},
      {"forward-condor",
       "lab ex. 3",
       "the condor at t = 0, 3, 10, 30, 100, 200, and beside a process of T = 1000",
       "",
       {image}},
      {"closed-form",
       "thesis eqs. 2.5-2.7, 2.15; lab ex. 1",
       "the recursion against one jump, over many draws",
       "T of the process",
       {steps, process}},
      {"heated-gas",
       "thesis eqs. 2.2-2.4, figs. 2.2, 2.3",
       "a gas in a well, heated until it no longer feels the well",
       "T of the process",
       {steps}},
      {"posterior",
       "thesis eqs. 2.10-2.11; lab ex. 2, eqs. 2-4",
       "q(x_{t-1} | x_t, x_0) by Bayes on a grid against the closed form",
       "T of the process",
       {steps, process}},
      {"mean-forms",
       "lab eqs. 4-7; thesis eqs. 2.16-2.18",
       "the mean of the reverse step written in two ways",
       "T of the process",
       {steps, process}},
      {"loss-weights",
       "thesis eqs. 2.9, 2.13, 2.19",
       "every term of the variational bound, and the weights of the simple loss",
       "T of the process",
       {steps, process}},
      {"optimise",
       "thesis eq. 2.14, fig. 2.4",
       "a learned mean moves onto the true one",
       "training steps",
       {steps}},
      {"langevin-full",
       "thesis eq. 2.20",
       "Langevin's equation with mass: equipartition, Boltzmann, diffusion",
       "time steps",
       {steps}},
      {"langevin-overdamped",
       "thesis eq. 2.21",
       "the overdamped limit, and the bias of a finite step",
       "time steps",
       {steps}},
      {"score-field",
       "thesis fig. 2.5",
       "a density and its score, exact and learned",
       "training steps",
       {steps, density}},
      {"learned-density",
       "thesis fig. 2.6",
       "a learned density beside the true one, and its spurious minima",
       "training steps",
       {steps, repeats, density}},
      {"stochastic-force",
       "thesis sect. 2.3.2",
       "sampling with and without the random force",
       "chain steps",
       {steps, density}},
      {"reverse-langevin",
       "thesis eqs. 2.22-2.23, fig. 2.7, alg. 2.3.3",
       "from noise to samples, and what the misprints do",
       "T of the process",
       {steps, density, run}},
      {"single-image",
       "thesis sect. 3.1, figs. 3.1-3.3",
       "a model that learns one picture and gives it back",
       "training steps",
       {image, steps, repeats}},
      {"train-mnist",
       "lab ex. 4-6; thesis alg. 2.2.1",
       "noise removed from digits that the model has not seen",
       "training steps",
       {steps, run}},
      {"cifar10",
       "thesis sect. 3.2, fig. 3.4",
       "pictures asked for by class, and the share that a classifier recognises",
       "training steps",
       {steps, run, classifier}},
      {"tasks",
       "thesis summary",
       "denoising, inpainting, generation and conditioned generation by one model",
       "training steps",
       {steps, run}},
  };
  return rows;
}

std::vector<std::string> lab_row_names() {
  std::vector<std::string> names;
  for (const LabRow& row : lab_rows()) names.push_back(row.name);
  return names;
}

const LabRow* find_lab_row(const std::string& name) {
  const auto found = std::find_if(lab_rows().begin(), lab_rows().end(),
                                  [&](const LabRow& row) { return row.name == name; });
  return found == lab_rows().end() ? nullptr : &*found;
}

const std::vector<std::string>& lab_density_names() {
  static const std::vector<std::string> names = {"three-wells", "moons", "rings", "ring-of-eight"};
  return names;
}

}  // namespace tinta::config
