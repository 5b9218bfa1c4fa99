#include "tinta/kernels/adamw_gpu.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>

#include "tinta/core/error.h"
#include "tinta/kernels/gpu.h"

namespace tinta::kernels {
namespace {

device::AdamwTensor view(const AdamwState& state, const at::Tensor& gradient) {
  return {.gradient = gradient.defined() ? gradient.const_data_ptr() : nullptr,
          .weight = state.weight.mutable_data_ptr(),
          .master = state.master.mutable_data_ptr<float>(),
          .m = state.m.mutable_data_ptr<float>(),
          .v = state.v.mutable_data_ptr<float>(),
          .ema = state.ema.mutable_data_ptr<float>(),
          .count = state.weight.numel()};
}

// The sum of all squares, and into `live` the scale that follows; with doubles on the GPU.
void queue_square_sum(const std::vector<at::Tensor>& tensors, const at::Tensor& total,
                      double clip_norm, AdamwStep* live) {
  std::vector<at::Tensor> dense;  // kept until everything is queued
  std::int64_t blocks = 0;
  for (const at::Tensor& x : tensors) {
    require_same_device("square_sum", total, x, "every tensor");
    dense.push_back(x.is_non_overlapping_and_dense() ? x : x.contiguous());
    blocks += blocks_of(x.numel());
  }
  const at::Tensor partial = at::empty({blocks}, total.options());
  const CudaKernels& gpu = *kernels_for(total);
  std::int64_t done = 0;
  for (std::size_t i = 0; i < dense.size();) {
    SquareSumBatch batch{.element = element_of(dense[i].scalar_type()),
                         .partial = partial.mutable_data_ptr<double>() + done};
    for (; i < dense.size() && batch.count < device::kTensors &&
           element_of(dense[i].scalar_type()) == batch.element;
         ++i) {
      batch.values[batch.count] = dense[i].const_data_ptr();
      batch.counts[batch.count++] = dense[i].numel();
      done += blocks_of(dense[i].numel());
    }
    launch_on(total, "square_sum",
              [&](CudaStream stream) { return gpu.square_sum(batch, stream); });
  }
  const device::GradientScale program{.partial = partial.const_data_ptr<double>(),
                                      .count = blocks,
                                      .total = total.mutable_data_ptr<double>(),
                                      .clip_norm = clip_norm,
                                      .live = live};
  launch_on(total, "square_sum",
            [&](CudaStream stream) { return gpu.gradient_scale(program, stream); });
}

// What decides whether a step is taken: the gradients that there are, and 0 or, where the loss is
// not finite, NaN. A loss may overflow on its way to a sum while each gradient is finite.
std::vector<at::Tensor> deciding(const std::vector<at::Tensor>& gradients, const at::Tensor& loss) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) all.push_back(gradient);
  }
  all.push_back(loss.detach().to(at::kFloat).reshape({1}) * 0);
  return all;
}

// What the GPU does with live numbers, where there are no kernels to queue.
void step_at_once(std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                  LiveStep& live, double clip_norm, const at::Tensor& loss) {
  AdamwStep step;
  const at::Tensor bytes = live.numbers.cpu();
  std::memcpy(&step, bytes.const_data_ptr(), sizeof(step));
  const double sum = square_sum(deciding(gradients, loss));
  live.square_sum.fill_(sum);
  const double norm = std::sqrt(sum) / step.loss_scale;
  if (!std::isfinite(norm)) return;
  const bool clipped = clip_norm > 0 && norm > clip_norm;
  step.gradient_scale = static_cast<float>((clipped ? clip_norm / norm : 1) / step.loss_scale);
  adamw_steps(states, gradients, step);
}

}  // namespace

void adamw_on_gpu(const std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                  const AdamwStep& step, const AdamwStep* live) {
  std::vector<at::Tensor> ours;  // gradients in the weights' layouts, kept until all is queued
  for (std::size_t i = 0; i < states.size(); ++i) {
    require_same_device("adamw_step", states.front().weight, states[i].weight, "every weight");
    ours.push_back(checked_gradient(states[i], gradients[i]));
  }
  for (std::size_t i = 0; i < states.size();) {
    const at::Tensor& first = states[i].weight;
    AdamwBatch batch{.element = element_of(first.scalar_type()), .numbers = step, .live = live};
    for (; i < states.size() && batch.count < device::kTensors &&
           states[i].weight.scalar_type() == first.scalar_type();
         ++i) {
      batch.tensors[batch.count++] = view(states[i], ours[i]);
    }
    launch_on(first, "adamw_step",
              [&](CudaStream stream) { return kernels_for(first)->adamw(batch, stream); });
  }
}

at::Tensor square_sum_on_gpu(const std::vector<at::Tensor>& tensors) {
  const at::Tensor total = at::empty({1}, tensors.front().options().dtype(at::kDouble));
  queue_square_sum(tensors, total, 0, nullptr);
  return total;
}

LiveStep make_live_step(const at::Device& device) {
  const at::TensorOptions there = at::TensorOptions().device(device);
  return {
      .numbers = at::zeros({static_cast<std::int64_t>(sizeof(AdamwStep))}, there.dtype(at::kByte)),
      .square_sum = at::zeros({1}, there.dtype(at::kDouble))};
}

void write_live_step(LiveStep& live, const AdamwStep& step) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(sizeof(AdamwStep))}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), &step, sizeof(step));
  const bool on_gpu = live.numbers.is_cuda();
  live.numbers.copy_(on_gpu ? bytes.pin_memory() : bytes, /*non_blocking=*/on_gpu);
}

void adamw_steps(std::vector<AdamwState>& states, const std::vector<at::Tensor>& gradients,
                 LiveStep& live, double clip_norm, const at::Tensor& loss) {
  if (kernels_for(live.numbers) == nullptr) {
    return step_at_once(states, gradients, live, clip_norm, loss);
  }
  auto* numbers = static_cast<AdamwStep*>(live.numbers.mutable_data_ptr());
  queue_square_sum(deciding(gradients, loss), live.square_sum, clip_norm, numbers);
  adamw_on_gpu(states, gradients, {}, numbers);
}

}  // namespace tinta::kernels
