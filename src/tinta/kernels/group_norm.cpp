#include "tinta/kernels/group_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <sstream>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/group_norm_cpu.h"
#include "tinta/kernels/group_norm_gpu.h"
#include "tinta/kernels/isa.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(GroupNormKernels, group_norm)

namespace {

namespace autograd = torch::autograd;

void run(const GroupNormPicture<float>& p, const GroupNormOptions& o, float* y, float* scratch,
         double* totals) {
  group_norm_kernels().forward_f32(p, o, y, scratch, totals);
}
void run(const GroupNormPicture<std::uint16_t>& p, const GroupNormOptions& o, std::uint16_t* y,
         float* scratch, double* totals) {
  group_norm_kernels().forward_bf16(p, o, y, scratch, totals);
}
void run(const GroupNormPicture<float>& p, const GroupNormOptions& o,
         const GroupNormGradients<float>& g, float* scratch) {
  group_norm_kernels().backward_f32(p, o, g, scratch);
}
void run(const GroupNormPicture<std::uint16_t>& p, const GroupNormOptions& o,
         const GroupNormGradients<std::uint16_t>& g, float* scratch) {
  group_norm_kernels().backward_bf16(p, o, g, scratch);
}

// The kernel's view of a tensor's elements: bfloat16 as its 16 bits.
template <class T>
const T* elements(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<const T*>(tensor.const_data_ptr()) : nullptr;
}
template <class T>
T* mutable_elements(at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

template <class F>
void dispatch(const at::Tensor& x, F&& f) {
  if (x.scalar_type() == at::kFloat) {
    f(float{});
  } else {
    f(std::uint16_t{});
  }
}

using Saved = GroupNormSaved;
using Gradients = GroupNormGradientTensors;

template <class T>
GroupNormPicture<T> picture_of(Saved& saved, std::int64_t i) {
  const std::int64_t channels = saved.x.size(1);
  const std::int64_t positions = saved.x.size(2) * saved.x.size(3);
  const std::int64_t groups = saved.mean.size(1);
  return {.positions = positions,
          .channels = channels,
          .x = elements<T>(saved.x) + i * positions * channels,
          .shift = saved.shift.defined() ? elements<T>(saved.shift) + i * channels : nullptr,
          .gamma = saved.gamma.const_data_ptr<float>(),
          .beta = saved.beta.const_data_ptr<float>(),
          .mean = saved.mean.mutable_data_ptr<float>() + i * groups,
          .rstd = saved.rstd.mutable_data_ptr<float>() + i * groups};
}

at::Tensor run_forward(Saved& saved, const GroupNormOptions& options) {
  if (saved.x.is_cuda()) return group_norm_forward_on_gpu(saved, options);
  at::Tensor y = at::empty_like(saved.x, at::MemoryFormat::ChannelsLast);
  if (saved.x.numel() == 0) return y;
  const std::int64_t length = saved.x.numel() / saved.x.size(0);
  dispatch(saved.x, [&](auto zero) {
    using T = decltype(zero);
    at::parallel_for(0, saved.x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> scratch(static_cast<std::size_t>(3 * saved.x.size(1)));
      std::vector<double> totals(static_cast<std::size_t>(2 * options.groups));
      for (std::int64_t i = begin; i < end; ++i) {
        run(picture_of<T>(saved, i), options, mutable_elements<T>(y) + i * length, scratch.data(),
            totals.data());
      }
    });
  });
  return y;
}

Gradients run_backward(Saved& saved, const at::Tensor& dy, const GroupNormOptions& options) {
  if (saved.x.is_cuda()) return group_norm_backward_on_gpu(saved, dy, options);
  const std::int64_t batch = saved.x.size(0);
  const std::int64_t channels = saved.x.size(1);
  Gradients out;
  out.x = at::empty_like(saved.x, at::MemoryFormat::ChannelsLast);
  // One row per picture, summed afterwards in a fixed order: the result does not depend on threads.
  at::Tensor dgamma = at::zeros({batch, channels}, at::kFloat);
  at::Tensor dbeta = at::zeros({batch, channels}, at::kFloat);
  at::Tensor dshift;
  if (saved.shift.defined()) dshift = at::zeros({batch, channels}, at::kFloat);
  const std::int64_t length = batch == 0 ? 0 : saved.x.numel() / batch;
  dispatch(saved.x, [&](auto zero) {
    using T = decltype(zero);
    at::parallel_for(0, length == 0 ? 0 : batch, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> scratch(static_cast<std::size_t>(length + 7 * channels));
      for (std::int64_t i = begin; i < end; ++i) {
        const GroupNormGradients<T> gradients{
            .dy = elements<T>(dy) + i * length,
            .dx = mutable_elements<T>(out.x) + i * length,
            .dshift = dshift.defined() ? dshift.mutable_data_ptr<float>() + i * channels : nullptr,
            .dgamma = dgamma.mutable_data_ptr<float>() + i * channels,
            .dbeta = dbeta.mutable_data_ptr<float>() + i * channels};
        run(picture_of<T>(saved, i), options, gradients, scratch.data());
      }
    });
  });
  out.gamma = dgamma.sum(0);
  out.beta = dbeta.sum(0);
  out.shift = dshift;
  return out;
}

class GroupNormFunction : public autograd::Function<GroupNormFunction> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                            const std::optional<at::Tensor>& shift, const at::Tensor& gamma,
                            const at::Tensor& beta, std::int64_t groups, double eps,
                            std::int64_t activation) {
    const GroupNormOptions options{groups, eps, static_cast<Activation>(activation)};
    const at::ScalarType affine = x.is_cuda() ? x.scalar_type() : at::kFloat;
    const at::TensorOptions floats = x.options().dtype(at::kFloat);
    Saved saved{.x = x.contiguous(at::MemoryFormat::ChannelsLast),
                .shift = shift ? shift->contiguous() : at::Tensor(),
                .gamma = gamma.to(affine).contiguous(),
                .beta = beta.to(affine).contiguous(),
                .mean = at::empty({x.size(0), groups}, floats),
                .rstd = at::empty({x.size(0), groups}, floats)};
    at::Tensor y = run_forward(saved, options);
    context->save_for_backward(
        {saved.x, saved.shift, saved.gamma, saved.beta, saved.mean, saved.rstd});
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["activation"] = activation;
    return y;
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const autograd::variable_list kept = context->get_saved_variables();
    Saved saved{kept[0], kept[1], kept[2], kept[3], kept[4], kept[5]};
    const GroupNormOptions options{
        context->saved_data["groups"].toInt(), context->saved_data["eps"].toDouble(),
        static_cast<Activation>(context->saved_data["activation"].toInt())};
    const at::ScalarType dtype = saved.x.scalar_type();
    const at::Tensor dy = upstream[0].to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    Gradients out = run_backward(saved, dy, options);
    if (out.shift.defined()) out.shift = out.shift.to(dtype);
    return {out.x, out.shift, out.gamma.to(dtype), out.beta.to(dtype), {}, {}, {}};
  }
};

void require(bool condition, const char* expected, const at::Tensor& got) {
  if (condition) return;
  std::ostringstream text;
  text << "[group_norm] expected " << expected << ", got " << got.sizes() << " "
       << c10::toString(got.scalar_type());
  throw ArgumentError(text.str());
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& gamma,
                      const at::Tensor& beta, const GroupNormOptions& options) {
  const at::ScalarType dtype = x.scalar_type();
  const bool on_gpu = kernels_for(x) != nullptr;
  const bool fused = (on_gpu && dtype == at::kHalf) ||
                     ((on_gpu || x.is_cpu()) && (dtype == at::kFloat || dtype == at::kBFloat16));
  require(x.dim() == 4 && at::isFloatingType(dtype), "x [B,C,H,W] floating", x);
  require(options.groups >= 1 && x.size(1) % options.groups == 0, "channels that the groups divide",
          x);
  require(gamma.dim() == 1 && gamma.size(0) == x.size(1) && gamma.scalar_type() == x.scalar_type(),
          "gamma [C] of x's dtype", gamma);
  require(beta.dim() == 1 && beta.size(0) == x.size(1) && beta.scalar_type() == x.scalar_type(),
          "beta [C] of x's dtype", beta);
  if (shift.defined()) {
    require(shift.dim() == 2 && shift.size(0) == x.size(0) && shift.size(1) == x.size(1) &&
                shift.scalar_type() == x.scalar_type(),
            "shift [B,C] of x's dtype", shift);
  }
  require_same_device("group_norm", x, gamma, "gamma");
  require_same_device("group_norm", x, beta, "beta");
  require_same_device("group_norm", x, shift, "shift");
  if (!fused && dtype != at::kDouble) {
    const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kFloat) : t; };
    return group_norm_reference(wide(x), wide(shift), wide(gamma), wide(beta), options).to(dtype);
  }
  if (!fused) return group_norm_reference(x, shift, gamma, beta, options);
  const auto given = shift.defined() ? std::optional(shift) : std::nullopt;
  return GroupNormFunction::apply(x, given, gamma, beta, options.groups, options.eps,
                                  static_cast<std::int64_t>(options.activation));
}

}  // namespace tinta::kernels
