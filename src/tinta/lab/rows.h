#pragma once

#include "tinta/lab/row.h"

// Each row of the laboratory is one file of this folder with one of these functions.

namespace tinta::lab {

Result ink_drop(const Context& context);
Result forward_strip(const Context& context);
Result forward_condor(const Context& context);
Result closed_form(const Context& context);
Result heated_gas(const Context& context);
Result posterior(const Context& context);
Result mean_forms(const Context& context);
Result loss_weights(const Context& context);
Result optimise(const Context& context);
Result langevin_full(const Context& context);
Result langevin_overdamped(const Context& context);
Result score_field(const Context& context);
Result learned_density(const Context& context);
Result stochastic_force(const Context& context);
Result reverse_langevin(const Context& context);
Result single_image(const Context& context);
Result train_mnist(const Context& context);
Result cifar10(const Context& context);
Result tasks(const Context& context);

}  // namespace tinta::lab
