#include "tinta/kernels/group_norm_gpu.h"

#include <ATen/ATen.h>

#include "tinta/kernels/device_launch.h"
#include "tinta/kernels/gpu.h"

namespace tinta::kernels {
namespace {

const void* elements(const at::Tensor& x) { return x.defined() ? x.const_data_ptr() : nullptr; }

// @param workspace made here; lives until everything is queued
GroupNormBatch batch_of(const GroupNormSaved& saved, const GroupNormOptions& options,
                        at::Tensor& workspace) {
  GroupNormBatch batch{.element = element_of(saved.x.scalar_type()),
                       .batch = saved.x.size(0),
                       .positions = saved.x.size(2) * saved.x.size(3),
                       .channels = saved.x.size(1),
                       .options = options,
                       .x = elements(saved.x),
                       .shift = elements(saved.shift),
                       .gamma = elements(saved.gamma),
                       .beta = elements(saved.beta),
                       .own_affine = saved.gamma.dim() == 2,
                       .mean = saved.mean.mutable_data_ptr<float>(),
                       .rstd = saved.rstd.mutable_data_ptr<float>()};
  workspace = at::empty({device::norm_workspace(batch)}, saved.mean.options());
  batch.workspace = workspace.mutable_data_ptr<float>();
  return batch;
}

}  // namespace

at::Tensor group_norm_forward_on_gpu(const GroupNormSaved& saved, const GroupNormOptions& options) {
  at::Tensor y = at::empty_like(saved.x, at::MemoryFormat::ChannelsLast);
  if (saved.x.numel() == 0) return y;
  at::Tensor workspace;
  const GroupNormBatch batch = batch_of(saved, options, workspace);
  launch_on(saved.x, "group_norm", [&](CudaStream stream) {
    return kernels_for(saved.x)->group_norm_forward(batch, y.mutable_data_ptr(), stream);
  });
  return y;
}

GroupNormGradientTensors group_norm_backward_on_gpu(const GroupNormSaved& saved,
                                                    const at::Tensor& dy, const at::Tensor& plus,
                                                    const GroupNormOptions& options) {
  GroupNormGradientTensors out{
      .x = at::empty_like(saved.x, at::MemoryFormat::ChannelsLast),
      .shift = saved.shift.defined() ? at::zeros_like(saved.shift) : at::Tensor(),
      .gamma = at::zeros_like(saved.gamma),
      .beta = at::zeros_like(saved.beta)};
  if (saved.x.numel() == 0) return out;
  at::Tensor workspace;
  const GroupNormBatch batch = batch_of(saved, options, workspace);
  const GroupNormBatchGradients gradients{
      .dy = dy.const_data_ptr(),
      .plus = elements(plus),
      .dx = out.x.mutable_data_ptr(),
      .dshift = out.shift.defined() ? out.shift.mutable_data_ptr() : nullptr,
      .dgamma = out.gamma.mutable_data_ptr(),
      .dbeta = out.beta.mutable_data_ptr()};
  launch_on(saved.x, "group_norm", [&](CudaStream stream) {
    return kernels_for(saved.x)->group_norm_backward(batch, gradients, stream);
  });
  return out;
}

}  // namespace tinta::kernels
