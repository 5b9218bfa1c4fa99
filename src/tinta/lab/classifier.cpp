#include "tinta/lab/classifier.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::lab {

GaussianClassifier::GaussianClassifier(const at::Tensor& images, const at::Tensor& labels,
                                       std::int64_t classes, std::int64_t components) {
  if (images.dim() != 4 || labels.dim() != 1 || labels.size(0) != images.size(0) || classes < 1) {
    throw ArgumentError("[classifier] expected pictures [N,C,H,W] and as many labels");
  }
  const at::NoGradGuard no_grad;
  const at::Tensor flat = images.flatten(1).to(at::kDouble);
  mean_ = flat.mean(0);
  const at::Tensor centred = flat - mean_;
  const at::Tensor covariance = centred.t().matmul(centred) / static_cast<double>(images.size(0));
  const std::int64_t kept = std::min(components, flat.size(1));
  // Eigenvalues rise: the last columns are the principal ones.
  basis_ = std::get<1>(at::linalg_eigh(covariance)).slice(1, flat.size(1) - kept).contiguous();
  std::vector<at::Tensor> means, precisions, offsets;
  for (std::int64_t label = 0; label < classes; ++label) {
    const at::Tensor own = centred.index_select(0, (labels == label).nonzero().squeeze(1));
    if (own.size(0) < 2) {
      throw ArgumentError("[classifier] expected at least 2 pictures of class " +
                          std::to_string(label) + ", got " + std::to_string(own.size(0)));
    }
    const at::Tensor projected = own.matmul(basis_);
    const at::Tensor mean = projected.mean(0);
    const at::Tensor off = projected - mean;
    at::Tensor spread = off.t().matmul(off) / static_cast<double>(own.size(0));
    // A floor under the variances: components that a class hardly has would decide everything.
    spread += at::eye(kept, at::kDouble) * (0.05 * spread.diagonal().mean());
    means.push_back(mean);
    precisions.push_back(spread.inverse());
    offsets.push_back(at::logdet(spread) / 2);
  }
  means_ = at::stack(means), precisions_ = at::stack(precisions), offsets_ = at::stack(offsets);
}

at::Tensor GaussianClassifier::project(const at::Tensor& images) const {
  return (images.flatten(1).to(at::kDouble) - mean_).matmul(basis_);
}

at::Tensor GaussianClassifier::classify(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  const at::Tensor off = project(images).unsqueeze(1) - means_;  // [B,classes,K]
  const at::Tensor distance = at::einsum("bck,ckl,bcl->bc", {off, precisions_, off});
  return (distance / -2 - offsets_).argmax(1);
}

}  // namespace tinta::lab
