#include "tinta/lab/run_trajectory.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tinta/core/text.h"
#include "tinta/experiment/generate.h"
#include "tinta/experiment/run.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/random.h"
#include "tinta/sampling/guidance.h"
#include "tinta/sampling/sampler.h"

namespace tinta::lab {
namespace {

constexpr std::int64_t kPictures = 6;

/// Pictures at falling steps.
struct Snapshots {
  std::vector<int> ts;
  std::vector<at::Tensor> images;  ///< [N,C,H,W] uint8
};

at::Tensor labels_of(const experiment::TrainedRun& run) {
  const std::int64_t classes = run.network->classes();
  if (classes == 0) return {};
  std::vector<std::int64_t> each(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = static_cast<std::int64_t>(i);
  return experiment::labels_in_turn(each, kPictures).to(run.compute.device);
}

Snapshots walk_down(const experiment::TrainedRun& run, const Context& context) {
  const process::VpSchedule schedule(run.config.process);
  const sampling::GuidedDenoiser denoiser(*run.network, labels_of(run), 1);
  const std::vector<std::int64_t> sizes{kPictures, run.shape.channels, run.shape.height,
                                        run.shape.width};
  const sampling::NoiseSource noise = sampling::philox_noise(sizes, context.seed, 0);
  const std::vector<int> ts = sampling::time_steps(
      schedule.steps(), std::min(schedule.steps(), context.pick(schedule.steps(), 50)));
  const auto total = static_cast<std::int64_t>(ts.size()) - 1;
  std::int64_t done = 0;
  const sampling::Chain chain{
      .schedule = schedule,
      .denoiser = denoiser,
      .noise = [&](std::uint32_t step) { return noise(step).to(run.compute.device); },
      .progress =
          [&](int, int) {
            context.sinks.report({.what = "sampling", .done = ++done, .total = total});
          },
      .stop = context.stop};
  const config::SamplingConfig config{.sampler = "ddpm", .variance = "beta"};
  at::Tensor x = kernels::normal(sizes, {.seed = context.seed, .stream = Stream::sample_start})
                     .to(run.compute.device);
  Snapshots out{.ts = {ts.front()}, .images = {io::to_bytes(x.cpu())}};
  std::size_t from = 0;
  for (const double share : {0.2, 0.4, 0.6, 0.75, 0.9, 1.0}) {
    const auto to = static_cast<std::size_t>(static_cast<double>(total) * share);
    if (to <= from) continue;
    const std::vector<int> part(ts.begin() + static_cast<std::ptrdiff_t>(from),
                                ts.begin() + static_cast<std::ptrdiff_t>(to) + 1);
    x = sampling::ddpm(chain, config, part, x);
    from = to;
    out.ts.push_back(ts[to]);
    out.images.push_back(io::to_bytes(x.cpu()));
  }
  return out;
}

// Mean square difference of neighbours, in units of a byte's range: noise is rough.
double roughness(const at::Tensor& images) {
  const at::Tensor x = images.to(at::kDouble) / 255;
  return x.diff(1, 3).square().mean().item<double>();
}

}  // namespace

void add_run_trajectory(const Context& context, Result& result) {
  const experiment::TrainedRun run =
      experiment::load_run(context.run, {}, context.machine, context.sinks);
  const Snapshots shots = walk_down(run, context);
  if (context.stopped()) return;
  figures::Figure figure{.title = "The trained net's pictures from noise to <i>x</i><sub>0</sub>",
                         .panels = {},
                         .columns = static_cast<std::int64_t>(shots.ts.size()),
                         .panel_width = 66,
                         .panel_height = 66};
  for (std::int64_t i = 0; i < kPictures; ++i) {
    for (std::size_t k = 0; k < shots.ts.size(); ++k) {
      figures::Panel panel{.legend = figures::Legend::none};
      if (i == 0) panel.title = "<i>t</i> = " + std::to_string(shots.ts[k]);
      panel.layers.emplace_back(figures::Picture{shots.images[k][i]});
      figure.panels.push_back(std::move(panel));
    }
  }
  const double first = roughness(shots.images.front());
  const double last = roughness(shots.images.back());
  result.arrays["pictures"] = at::stack(shots.images, 1);
  result.checks.push_back(
      {.what = "trained net: roughness of x_0 over that of x_T, neighbouring pixels' mean square "
               "difference",
       .value = last / first,
       .expected = 0.5,
       .tolerance = 0,
       .comparison = Comparison::at_most,
       .basis = "pure noise stays at 1; half is half-way to a flat picture",
       .arrays = {"pictures"}});
  result.figures.push_back({.suffix = "pictures", .figure = std::move(figure)});
  result.reading +=
      " The trained net " + run.weights_hash.substr(0, 12) +
      " takes noise to pictures in the same way: neighbouring pixels of x_0 differ by " +
      fixed(last / first, 3) + " of what those of x_T do (in mean square).";
}

}  // namespace tinta::lab
