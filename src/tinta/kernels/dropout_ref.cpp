#include <ATen/ops/empty.h>

#include "tinta/kernels/dropout.h"
#include "tinta/kernels/random.h"

namespace tinta::kernels {

at::Tensor dropout_reference(const at::Tensor& x, const Dropout& which) {
  const at::Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor mask =
      at::empty({x.size(0), x.size(2), x.size(3), x.size(1)}, x.options().dtype(at::kFloat));
  if (which.samples.defined()) {
    fill_dropout(mask, which.first, which.samples, which.p);
  } else {
    fill_dropout(mask, which.first, which.p);
  }
  const at::Tensor scale = mask.to(x.options()).permute({0, 3, 1, 2});
  return (dense * scale).masked_fill(scale == 0, 0);  // what is not finite too
}

}  // namespace tinta::kernels
