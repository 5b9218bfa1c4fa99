#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

namespace tinta::kernels {

/// While one lives, convolutions of its thread that record no gradients take their weights for
/// constant: what oneDNN makes of a weight before it multiplies (another order of its elements) is
/// made once for each shape of picture, not at every call, at the price of memory for a second
/// copy. Made for sampling, which calls a network hundreds of times. Whoever changes a weight in
/// the meantime is not heard. float32, and bfloat16 where has_bf16(), on the CPU; others go the
/// plain way. Results may differ in the last bit: oneDNN may take another form of the same product.
///
/// One within another shares what the outer one holds.
class ConstantWeights {
 public:
  ConstantWeights();
  ~ConstantWeights();
  ConstantWeights(const ConstantWeights&) = delete;
  ConstantWeights& operator=(const ConstantWeights&) = delete;

  /// The one that counts on this thread for a call that records no gradients; null without.
  static ConstantWeights* active();

  /// conv2d(x, weight, bias) of stride 1 padded by `padding` on all sides, + plus where that is
  /// defined.
  at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         std::int64_t padding, const at::Tensor& plus = {});

  /// What `make` makes of a weight, made once.
  at::Tensor made_of(const at::Tensor& weight, const std::function<at::Tensor()>& make);

 private:
  /// Of a weight, by its identity: in which order, for which input (none: made_of()).
  using Key = std::tuple<const void*, std::vector<std::int64_t>, std::int64_t>;
  struct Entry {
    at::Tensor weight;  // keeps the identity taken
    at::Tensor made;
  };
  std::map<Key, Entry> entries_;
  bool outermost_;
};

}  // namespace tinta::kernels
