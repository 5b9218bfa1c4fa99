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
#include "tinta/kernels/group_norm_dropout.h"
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
  const GroupNormKernels& kernels = group_norm_kernels();
  const bool hardware = kernels.forward_hardware_bf16 != nullptr && has_bf16();
  (hardware ? kernels.forward_hardware_bf16 : kernels.forward_bf16)(p, o, y, scratch, totals);
}
void run(const GroupNormPicture<float>& p, const GroupNormOptions& o,
         const GroupNormGradients<float>& g, float* scratch) {
  group_norm_kernels().backward_f32(p, o, g, scratch);
}
void run(const GroupNormPicture<std::uint16_t>& p, const GroupNormOptions& o,
         const GroupNormGradients<std::uint16_t>& g, float* scratch) {
  const GroupNormKernels& kernels = group_norm_kernels();
  const bool hardware = kernels.backward_hardware_bf16 != nullptr && has_bf16();
  (hardware ? kernels.backward_hardware_bf16 : kernels.backward_bf16)(p, o, g, scratch);
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

/// Dropout on the result; nothing is dropped where `kept` is undefined.
struct Kept {
  at::Tensor kept;  ///< of dropout_bits()
  double scale = 1;
};
using Gradients = GroupNormGradientTensors;

template <class T>
GroupNormPicture<T> picture_of(Saved& saved, const Kept& dropped, std::int64_t i) {
  const std::int64_t channels = saved.x.size(1);
  const std::int64_t positions = saved.x.size(2) * saved.x.size(3);
  const std::int64_t groups = saved.mean.size(1);
  const std::int64_t first = saved.gamma.dim() == 2 ? i * channels : 0;
  return {.positions = positions,
          .channels = channels,
          .x = elements<T>(saved.x) + i * positions * channels,
          .shift = saved.shift.defined() ? elements<T>(saved.shift) + i * channels : nullptr,
          .gamma = saved.gamma.const_data_ptr<float>() + first,
          .beta = saved.beta.const_data_ptr<float>() + first,
          .mean = saved.mean.mutable_data_ptr<float>() + i * groups,
          .rstd = saved.rstd.mutable_data_ptr<float>() + i * groups,
          .kept = dropped.kept.defined() ? reinterpret_cast<const std::uint64_t*>(
                                               dropped.kept.const_data_ptr<std::int64_t>()) +
                                               i * dropped.kept.size(1)
                                         : nullptr,
          .kept_scale = static_cast<float>(dropped.scale)};
}

at::Tensor run_forward(Saved& saved, const GroupNormOptions& options, const Kept& dropped) {
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
        run(picture_of<T>(saved, dropped, i), options, mutable_elements<T>(y) + i * length,
            scratch.data(), totals.data());
      }
    });
  });
  return y;
}

Gradients run_backward(Saved& saved, const at::Tensor& dy, const at::Tensor& plus,
                       const GroupNormOptions& options, const Kept& dropped) {
  if (saved.x.is_cuda()) return group_norm_backward_on_gpu(saved, dy, plus, options);
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
      std::vector<float> scratch(static_cast<std::size_t>(7 * channels));
      for (std::int64_t i = begin; i < end; ++i) {
        const GroupNormGradients<T> gradients{
            .dy = elements<T>(dy) + i * length,
            .dx = mutable_elements<T>(out.x) + i * length,
            .plus = plus.defined() ? elements<T>(plus) + i * length : nullptr,
            .dshift = dshift.defined() ? dshift.mutable_data_ptr<float>() + i * channels : nullptr,
            .dgamma = dgamma.mutable_data_ptr<float>() + i * channels,
            .dbeta = dbeta.mutable_data_ptr<float>() + i * channels};
        run(picture_of<T>(saved, dropped, i), options, gradients, scratch.data());
      }
    });
  });
  const bool own = saved.gamma.dim() == 2;
  out.gamma = own ? dgamma : dgamma.sum(0);
  out.beta = own ? dbeta : dbeta.sum(0);
  out.shift = dshift;
  return out;
}

class GroupNormFunction : public autograd::Function<GroupNormFunction> {
 public:
  // y, and x again.
  static autograd::variable_list forward(autograd::AutogradContext* context, const at::Tensor& x,
                                         const std::optional<at::Tensor>& shift,
                                         const at::Tensor& gamma, const at::Tensor& beta,
                                         std::int64_t groups, double eps, std::int64_t activation,
                                         const std::optional<at::Tensor>& kept, double scale) {
    const GroupNormOptions options{groups, eps, static_cast<Activation>(activation)};
    const at::ScalarType affine = x.is_cuda() ? x.scalar_type() : at::kFloat;
    const at::TensorOptions floats = x.options().dtype(at::kFloat);
    Saved saved{.x = x.contiguous(at::MemoryFormat::ChannelsLast),
                .shift = shift ? shift->contiguous() : at::Tensor(),
                .gamma = gamma.to(affine).contiguous(),
                .beta = beta.to(affine).contiguous(),
                .mean = at::empty({x.size(0), groups}, floats),
                .rstd = at::empty({x.size(0), groups}, floats)};
    const Kept dropped{kept.value_or(at::Tensor()), scale};
    at::Tensor y = run_forward(saved, options, dropped);
    context->set_materialize_grads(false);
    context->save_for_backward(
        {saved.x, saved.shift, saved.gamma, saved.beta, saved.mean, saved.rstd, dropped.kept});
    context->saved_data["scale"] = scale;
    context->saved_data["groups"] = groups;
    context->saved_data["eps"] = eps;
    context->saved_data["activation"] = activation;
    return {y, x};
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const autograd::variable_list kept = context->get_saved_variables();
    Saved saved{kept[0], kept[1], kept[2], kept[3], kept[4], kept[5]};
    const GroupNormOptions options{
        context->saved_data["groups"].toInt(), context->saved_data["eps"].toDouble(),
        static_cast<Activation>(context->saved_data["activation"].toInt())};
    const at::ScalarType dtype = saved.x.scalar_type();
    const auto dense = [&](const at::Tensor& gradient) {
      return gradient.defined() ? gradient.to(dtype).contiguous(at::MemoryFormat::ChannelsLast)
                                : gradient;
    };
    if (!upstream[0].defined()) return {upstream[1], {}, {}, {}, {}, {}, {}, {}, {}};
    Gradients out = run_backward(saved, dense(upstream[0]), dense(upstream[1]), options,
                                 {kept[6], context->saved_data["scale"].toDouble()});
    if (out.shift.defined()) out.shift = out.shift.to(dtype);
    return {out.x, out.shift, out.gamma.to(dtype), out.beta.to(dtype), {}, {}, {}, {}, {}};
  }
};

void require(bool condition, const char* expected, const at::Tensor& got) {
  if (condition) return;
  std::ostringstream text;
  text << "[group_norm] expected " << expected << ", got " << got.sizes() << " "
       << c10::toString(got.scalar_type());
  throw ArgumentError(text.str());
}

void require_inputs(const GroupNormInputs& in, const GroupNormOptions& options) {
  const at::Tensor& x = in.x;
  require(x.dim() == 4 && at::isFloatingType(x.scalar_type()), "x [B,C,H,W] floating", x);
  require(options.groups >= 1 && x.size(1) % options.groups == 0, "channels that the groups divide",
          x);
  const auto has_sizes = [&](const at::Tensor& t, at::IntArrayRef sizes) {
    return t.sizes() == sizes && t.scalar_type() == x.scalar_type();
  };
  require(has_sizes(in.gamma, {x.size(1)}) || has_sizes(in.gamma, {x.size(0), x.size(1)}),
          "gamma [C] or [B,C] of x's dtype", in.gamma);
  require(has_sizes(in.beta, in.gamma.sizes()), "beta of gamma's shape and x's dtype", in.beta);
  if (in.shift.defined()) {
    require(has_sizes(in.shift, {x.size(0), x.size(1)}), "shift [B,C] of x's dtype", in.shift);
  }
  require_same_device("group_norm", x, in.gamma, "gamma");
  require_same_device("group_norm", x, in.beta, "beta");
  require_same_device("group_norm", x, in.shift, "shift");
}

bool is_fused(const at::Tensor& x) {
  const at::ScalarType dtype = x.scalar_type();
  const bool on_gpu = kernels_for(x) != nullptr;
  return (on_gpu && dtype == at::kHalf) ||
         ((on_gpu || x.is_cpu()) && (dtype == at::kFloat || dtype == at::kBFloat16));
}

NormedAndInput fused(const GroupNormInputs& in, const GroupNormOptions& options,
                     const Kept& dropped) {
  const auto if_defined = [](const at::Tensor& t) {
    return t.defined() ? std::optional(t) : std::nullopt;
  };
  const autograd::variable_list out = GroupNormFunction::apply(
      in.x, if_defined(in.shift), in.gamma, in.beta, options.groups, options.eps,
      static_cast<std::int64_t>(options.activation), if_defined(dropped.kept), dropped.scale);
  return {out[0], out[1]};
}

}  // namespace

at::Tensor group_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& gamma,
                      const at::Tensor& beta, const GroupNormOptions& options) {
  const GroupNormInputs in{x, shift, gamma, beta};
  require_inputs(in, options);
  if (is_fused(x)) return fused(in, options, {}).y;
  if (x.scalar_type() == at::kDouble) {
    return group_norm_reference(x, shift, gamma, beta, options);
  }
  const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kFloat) : t; };
  return group_norm_reference(wide(x), wide(shift), wide(gamma), wide(beta), options)
      .to(x.scalar_type());
}

NormedAndInput group_norm_beside(const at::Tensor& x, const at::Tensor& gamma,
                                 const at::Tensor& beta, const GroupNormOptions& options) {
  const GroupNormInputs in{x, {}, gamma, beta};
  require_inputs(in, options);
  if (is_fused(x)) return fused(in, options, {});
  return {group_norm(x, {}, gamma, beta, options), x};
}

at::Tensor group_norm(const GroupNormInputs& in, const GroupNormOptions& options,
                      const Dropout& which) {
  require_inputs(in, options);
  if (!in.x.is_cpu() || !is_fused(in.x)) {
    return dropout(group_norm(in.x, in.shift, in.gamma, in.beta, options), which);
  }
  const std::int64_t rows = in.x.size(0);
  const std::int64_t places = rows == 0 ? 0 : in.x.numel() / rows;
  return fused(in, options, {dropout_bits(rows, places, which), dropout_scale(which.p)}).y;
}

}  // namespace tinta::kernels
