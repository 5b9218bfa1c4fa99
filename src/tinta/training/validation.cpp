#include "tinta/training/validation.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "tinta/core/permutation.h"
#include "tinta/core/philox.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/random.h"
#include "tinta/training/loss.h"

namespace tinta::training {
namespace {

// Of each bin, of each picture: [bins, N] float64.
using Losses = at::Tensor;

// Numbers of the pictures to take: [N] int64.
at::Tensor chosen(const ValidationTask& task) {
  const std::int64_t all = task.held_out.size();
  const std::int64_t wanted = task.config.validation_images;
  if (wanted == 0 || wanted >= all) return at::arange(all, at::kLong);
  const Permutation order(static_cast<std::uint64_t>(all), task.config.seed, 0);
  at::Tensor indices = at::empty({wanted}, at::kLong);
  for (std::int64_t i = 0; i < wanted; ++i) {
    indices.mutable_data_ptr<std::int64_t>()[i] =
        static_cast<std::int64_t>(order(static_cast<std::uint64_t>(i)));
  }
  return indices;
}

std::vector<ValidationBin> empty_bins(const process::Schedule& schedule) {
  std::vector<ValidationBin> bins;
  const int levels = schedule.training_levels();
  const int count = std::min(kValidationBins, levels);
  const auto edge = [&](int i) {
    return static_cast<int>(static_cast<std::int64_t>(levels) * i / count);
  };
  const auto sigma = [&](int t) {
    const process::NoiseLevel level = schedule.training_level(t);
    return level.s / level.a;
  };
  for (int i = 0; i < count; ++i) {
    const int low = edge(i) + 1, high = edge(i + 1);
    bins.push_back(
        {.t_low = low, .t_high = high, .sigma_low = sigma(low), .sigma_high = sigma(high)});
  }
  return bins;
}

// Steps and noise of a batch in a bin, keyed by the pictures' places; labels as they are.
Draws draws_of(const ValidationTask& task, const data::Batch& batch, std::size_t bin,
               const ValidationBin& range) {
  const std::int64_t count = batch.x0.size(0);
  const std::int64_t classes = task.network.classes();
  const auto key = [&](std::int64_t i, std::size_t what) {
    return RandomKey{.seed = task.config.seed,
                     .stream = Stream::validation,
                     .sample = batch.first_sample + static_cast<std::uint64_t>(i),
                     .step = static_cast<std::uint32_t>(2 * bin + what)};
  };
  Draws draws{.t = at::empty({count}, at::kLong), .noise = {}, .labels = {}};
  for (std::int64_t i = 0; i < count; ++i) {
    draws.t.mutable_data_ptr<std::int64_t>()[i] =
        range.t_low + static_cast<std::int64_t>(random_below(
                          key(i, 0), static_cast<std::uint64_t>(range.t_high - range.t_low + 1)));
  }
  draws.noise = kernels::normal(batch.x0.sizes(), key(0, 1), batch.x0.device());
  if (classes > 0) {
    draws.labels = batch.labels.defined() ? batch.labels : at::full({count}, classes, at::kLong);
  }
  return draws;
}

MeanLoss mean_of(const std::vector<double>& losses) {
  const auto count = static_cast<double>(losses.size());
  double sum = 0;
  for (const double loss : losses) sum += loss;
  MeanLoss out{.mean = sum / count};
  if (losses.size() < 2) return out;
  double squares = 0;
  for (const double loss : losses) squares += (loss - out.mean) * (loss - out.mean);
  out.standard_error = std::sqrt(squares / (count - 1) / count);
  return out;
}

Validation summed_up(std::uint64_t step, std::vector<ValidationBin> bins, const Losses& losses,
                     int levels) {
  const auto pictures = static_cast<std::size_t>(losses.size(1));
  std::vector<double> of_pictures(pictures, 0);
  const double* row = losses.const_data_ptr<double>();
  for (ValidationBin& bin : bins) {
    const std::vector<double> of_bin(row, row + pictures);
    row += pictures;
    bin.loss = mean_of(of_bin);
    bin.count = static_cast<std::int64_t>(pictures);
    const double share = static_cast<double>(bin.t_high - bin.t_low + 1) / levels;
    for (std::size_t i = 0; i < pictures; ++i) of_pictures[i] += share * of_bin[i];
  }
  return {.step = step, .loss = mean_of(of_pictures), .bins = std::move(bins)};
}

// The losses of pictures from number `first` on, a column of each; false where it was stopped.
bool measure(const ValidationTask& task, const std::vector<ValidationBin>& bins,
             const at::Tensor& pictures, std::int64_t first, const StopRequested& stop,
             Losses& losses) {
  const at::Device device = task.network.named_parameters().front().second.device();
  data::Batch batch{.x0 = kernels::sent(data::gather(task.held_out, pictures), device),
                    .labels = {},
                    .first_sample = static_cast<std::uint64_t>(first)};
  if (task.held_out.labels.defined()) {
    batch.labels = task.held_out.labels.index_select(0, pictures);
  }
  for (std::size_t bin = 0; bin < bins.size(); ++bin) {
    if (stop && stop()) return false;
    losses[static_cast<std::int64_t>(bin)]
        .narrow(0, first, pictures.size(0))
        .copy_(picture_losses(task.network, task.schedule, batch,
                              draws_of(task, batch, bin, bins[bin])));
  }
  return true;
}

}  // namespace

std::optional<Validation> validate(const ValidationTask& task, std::uint64_t step,
                                   const NamedTensors& averages, const Sinks& sinks,
                                   const StopRequested& stop) {
  const at::NoGradGuard no_gradients;
  copy_weights(averages, task.network.named_parameters());
  const at::Tensor indices = chosen(task);
  std::vector<ValidationBin> bins = empty_bins(task.schedule);
  Losses losses = at::zeros({static_cast<std::int64_t>(bins.size()), indices.size(0)}, at::kDouble);
  // Whole batches to each rank, so that a loss has the same bits on any number of them.
  const std::int64_t at_a_time = task.config.batch / task.config.accumulate;
  const std::int64_t stride = at_a_time * task.group.size();
  std::vector<double> stopped{0};
  for (std::int64_t first = at_a_time * task.group.rank(); first < indices.size(0);
       first += stride) {
    const at::Tensor part = indices.narrow(0, first, std::min(at_a_time, indices.size(0) - first));
    if (!measure(task, bins, part, first, stop, losses)) {
      stopped = {1};
      break;
    }
    sinks.report({.what = "validating",
                  .done = std::min(first + stride, indices.size(0)),
                  .total = indices.size(0)});
  }
  task.group.sum(stopped);
  if (stopped[0] > 0) return std::nullopt;
  task.group.sum(losses);
  return summed_up(step, std::move(bins), losses, task.schedule.training_levels());
}

}  // namespace tinta::training
