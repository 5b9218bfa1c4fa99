#include "tinta/lab/bound_study.h"

#include <ATen/ATen.h>

#include <cmath>
#include <set>
#include <utility>

#include "tinta/kernels/random.h"
#include "tinta/process/variational.h"

namespace tinta::lab {
namespace {

using process::ReverseVariance;
using process::VariationalBound;

// Apart from the draws of other rows.
constexpr std::uint64_t kDataSample = std::uint64_t{6} << 40;
constexpr std::uint64_t kNoiseSample = std::uint64_t{7} << 40;

at::Tensor state(const BoundStudy& study, const at::Tensor& x0, const at::Tensor& eps, int t) {
  const process::NoiseLevel level = study.schedule.level(t);
  return x0 * level.a + eps * level.s;
}

/// Over the nodes.
double mean(const BoundStudy& study, const at::Tensor& values) {
  return values.flatten().dot(study.nodes.weight).item<double>();
}

/// Steps 2..T, at most `count` of them: half spread evenly, half by equal ratios.
std::vector<int> steps_between(int last, int count) {
  std::set<int> steps;
  if (last - 1 <= count) {
    for (int t = 2; t <= last; ++t) steps.insert(t);
  } else {
    for (int i = 0; i <= count / 2; ++i) {
      const double share = 2.0 * i / count;
      steps.insert(2 + static_cast<int>(std::lround(share * (last - 2))));
      steps.insert(static_cast<int>(std::lround(2 * std::pow(last / 2.0, share))));
    }
  }
  return {steps.begin(), steps.end()};
}

void integrate(const BoundStudy& study, BoundModel& model) {
  for (const int t : study.watched) {
    if (study.context.stopped()) return;
    const at::Tensor x_t = state(study, study.nodes.x0, study.nodes.eps, t);
    const at::Tensor eps = study.predict(model, x_t, t);
    const StepIntegrals at_t = integrate_step(study.schedule, t, study.nodes, eps);
    model.kl.push_back(at_t.kl);
    model.gradients.push_back(at_t.gradients);
    model.equal_kl.push_back(at_t.equal_kl);
    model.equal_gradients.push_back(at_t.equal_gradients);
    model.program.push_back(
        mean(study, study.formulas.transition(study.schedule, t, study.nodes.x0.unsqueeze(1),
                                              x_t.unsqueeze(1), eps.unsqueeze(1))));
    model.simple.push_back(mean(study, (study.nodes.eps - eps).square()));
    study.context.sinks.report(
        {.what = "loss-weights", .done = t, .total = study.schedule.steps()});
  }
}

/// The program's terms as a training run or a likelihood meets them: over draws.
void sample(const BoundStudy& study, BoundModel& model, const at::Tensor& x0) {
  for (const int t : study.watched) {
    if (study.context.stopped()) return;
    const at::Tensor eps = kernels::normal(x0.sizes(), {.seed = study.context.seed,
                                                        .stream = Stream::lab,
                                                        .sample = kNoiseSample,
                                                        .step = static_cast<std::uint32_t>(t)})
                               .to(at::kDouble);
    const at::Tensor x_t = state(study, x0, eps, t);
    const at::Tensor guess = study.predict(model, x_t, t);
    const at::Tensor terms = study.formulas.transition(study.schedule, t, x0.unsqueeze(1),
                                                       x_t.unsqueeze(1), guess.unsqueeze(1));
    model.sampled.push_back(terms.mean().item<double>());
    model.error.push_back(terms.std().item<double>() / std::sqrt(static_cast<double>(x0.numel())));
  }
}

/// The whole bound, all T + 1 terms, by the program on the nodes.
void add_up(const BoundStudy& study, BoundModel& model) {
  const VariationalBound beta(study.schedule, ReverseVariance::beta);
  const VariationalBound posterior(study.schedule, ReverseVariance::posterior);
  const at::Tensor x0 = study.nodes.x0.unsqueeze(1);
  const auto at_step = [&](int t) {
    const at::Tensor x_t = state(study, study.nodes.x0, study.nodes.eps, t);
    return std::pair{x_t.unsqueeze(1), study.predict(model, x_t, t).unsqueeze(1)};
  };
  const auto [x_1, eps_1] = at_step(1);
  model.prior = mean(study, beta.prior(x0));
  model.prior_integral = integrate_prior(study.schedule, study.mixture);
  model.reconstruction = mean(study, beta.reconstruction(x0, x_1, eps_1));
  model.reconstruction_integral =
      integrate_reconstruction(study.schedule, study.nodes, eps_1.squeeze(1));
  model.bound = model.prior + model.reconstruction;
  model.bound_posterior = model.prior + mean(study, posterior.reconstruction(x0, x_1, eps_1));
  for (int t = 2; t <= study.schedule.steps() && !study.context.stopped(); ++t) {
    const auto [x_t, eps] = at_step(t);
    model.bound += mean(study, beta.transition(t, x0, x_t, eps));
    model.bound_posterior += mean(study, posterior.transition(t, x0, x_t, eps));
  }
}

}  // namespace

at::Tensor BoundStudy::predict(const BoundModel& model, const at::Tensor& x_t, int t) const {
  const at::Tensor column = x_t.unsqueeze(1);
  return denoiser.eps(column, schedule.level(t)).squeeze(1) * model.scale + model.shift;
}

void work_out(BoundStudy& study, int watched, std::int64_t draws) {
  study.watched = steps_between(study.schedule.steps(), watched);
  const VariationalBound bound(study.schedule, ReverseVariance::beta);
  for (const int t : study.watched) {
    study.weight.push_back(study.formulas.weight(study.schedule, t));
    study.constant.push_back(bound.constant(t, 1));
  }
  const at::Tensor x0 = study.mixture.draw(study.context.seed, kDataSample, draws);
  for (BoundModel& model : study.models) {
    integrate(study, model);
    sample(study, model, x0);
    add_up(study, model);
  }
}

}  // namespace tinta::lab
