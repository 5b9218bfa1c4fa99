#include "tinta/experiment/generate.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "tinta/core/text.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/constant_weights.h"
#include "tinta/kernels/random.h"
#include "tinta/process/schedule.h"
#include "tinta/sampling/guidance.h"
#include "tinta/sampling/sampler.h"

namespace tinta::experiment {
namespace {

// One batch: from pure noise to pictures in [-1, 1].
at::Tensor generate_batch(const GenerateTask& task, std::int64_t first, std::int64_t count,
                          const std::function<void(int, int)>& progress,
                          const StopRequested& stop) {
  const auto schedule = process::make_sampling_schedule(task.process, task.sampling.steps);
  const auto first_sample = static_cast<std::uint64_t>(first);
  const std::vector<std::int64_t> sizes{count, task.shape.channels, task.shape.height,
                                        task.shape.width};
  const at::Tensor labels = task.labels.defined()
                                ? task.labels.slice(0, first, first + count).to(task.compute.device)
                                : task.labels;
  const sampling::GuidedDenoiser denoiser(task.network, labels, task.sampling.guidance);
  const sampling::Chain chain{
      .schedule = *schedule,
      .denoiser = denoiser,
      .noise = sampling::philox_noise(sizes, task.seed, first_sample, Stream::sample_step,
                                      task.compute.device),
      .progress = progress,
      .stop = stop};
  const at::Tensor noise = kernels::normal(
      sizes, {.seed = task.seed, .stream = Stream::sample_start, .sample = first_sample},
      task.compute.device);
  const double deviation = schedule->prior_deviation();
  const at::Tensor start = deviation == 1 ? noise : noise * deviation;
  const std::vector<int> steps =
      sampling::time_steps(schedule->steps(), static_cast<int>(task.sampling.steps));
  return sampling::sampler(task.sampling.sampler)(chain, task.sampling, steps, start).cpu();
}

// Pictures at a time: so few that every rank has some, where nobody said how many.
std::int64_t batch_of(const GenerateTask& task) {
  if (task.batch > 0) return task.batch;
  const std::int64_t ranks = task.group.size();
  const std::int64_t share = (task.count + ranks - 1) / ranks;
  return std::clamp<std::int64_t>(share, 1, fitting_batch(task.shape));
}

}  // namespace

config::SamplingConfig quick_sampling(config::SamplingConfig sampling, std::int64_t most) {
  if (config::evaluations(sampling) <= most) return sampling;
  sampling.sampler = "ddim";
  sampling.eta = 0;
  sampling.steps = most;
  return sampling;
}

std::int64_t fitting_batch(const PictureShape& shape) {
  constexpr std::int64_t kPixels = std::int64_t{1} << 17;
  return std::clamp<std::int64_t>(kPixels / (shape.height * shape.width), 1, 256);
}

at::Tensor channels_last_array(const at::Tensor& pictures) {
  if (pictures.size(1) == 1) return pictures.squeeze(1).contiguous();
  return pictures.permute({0, 2, 3, 1}).contiguous();
}

at::Tensor generate(const GenerateTask& task, const Sinks& sinks, const StopRequested& stop) {
  const kernels::ConstantWeights constant;
  // Whole batches to each rank, so that a batch has the same bits on any number of them.
  const std::int64_t batch = batch_of(task);
  const std::int64_t stride = batch * task.group.size();
  at::Tensor all =
      at::zeros({task.count, task.shape.channels, task.shape.height, task.shape.width}, at::kByte);
  bool stopped = false;
  const StopRequested asked = [&] { return stopped = stopped || (stop && stop()); };
  for (std::int64_t first = batch * task.group.rank(); first < task.count && !stopped;
       first += stride) {
    const std::int64_t count = std::min(batch, task.count - first);
    const std::int64_t width = std::min(stride, task.count - first);  // of all ranks' batches
    const auto progress = [&](int done, int total) {
      sinks.report({.what = "sampling",
                    .done = first * total + width * done,
                    .total = task.count * total,
                    .detail = std::to_string(task.count) + " pictures"});
    };
    const at::Tensor pictures = generate_batch(task, first, count, progress, asked);
    if (!stopped) all.narrow(0, first, count).copy_(io::to_bytes(pictures));
  }
  std::vector<double> stops{stopped ? 1.0 : 0.0};
  task.group.sum(stops);
  if (stops[0] > 0) return {};
  task.group.sum(all);  // each rank's pictures lie where the others have zeros
  return all;
}

at::Tensor labels_in_turn(const std::vector<std::int64_t>& classes, std::int64_t count) {
  at::Tensor labels = at::empty({count}, at::kLong);
  auto* values = labels.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = classes[static_cast<std::size_t>(i) % classes.size()];
  }
  return labels;
}

std::int64_t grid_columns(std::int64_t count, std::int64_t classes, const PictureShape& shape) {
  if (classes > 1 && classes <= 32 && count % classes == 0) return classes;
  return io::square_columns(count, shape.height, shape.width);
}

}  // namespace tinta::experiment
