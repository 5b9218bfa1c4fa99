#include "tinta/dist/buckets.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::dist {
namespace {

/// Called when a weight's gradient is there.
struct Hook : torch::autograd::PostAccumulateGradHook {
  explicit Hook(std::function<void()> given) : call(std::move(given)) {}
  void operator()(const torch::autograd::Variable& /*weight*/) override { call(); }
  std::function<void()> call;
};

/// Weights that are summed in one call.
struct Bucket {
  at::Tensor flat;                 ///< float32: their gradients, then how many ranks had each
  std::vector<std::size_t> holds;  ///< numbers of the weights
  std::size_t waits_for = 0;       ///< gradients of the last pass that are still to come
  std::unique_ptr<Group::Pending> sum;
};

/// Where a weight's gradient lies.
struct Slot {
  at::Tensor gradient;  ///< a view of its bucket, of the weight's shape and strides
  at::Tensor had;       ///< likewise, one number
  std::size_t bucket = 0;
  bool filled = false;  ///< in some pass since begin()
  bool came = false;    ///< in the last pass
};

}  // namespace

class Buckets::Collector {
 public:
  Collector(Group& group, const std::vector<at::Tensor>& weights, std::int64_t bytes)
      : group_(group), weights_(weights), slots_(weights.size()) {
    constexpr std::int64_t kFirst = 1 << 20;
    std::int64_t limit = std::min(bytes, kFirst);
    std::int64_t used = 0;
    for (std::size_t i = weights.size(); i-- > 0;) {
      const std::int64_t size = weights[i].numel() * std::int64_t{sizeof(float)};
      if (buckets_.empty() || used + size > limit) {
        if (!buckets_.empty()) limit = bytes;
        buckets_.emplace_back();
        used = 0;
      }
      buckets_.back().holds.push_back(i);
      used += size;
    }
    for (std::size_t b = 0; b < buckets_.size(); ++b) lay_out(b);
  }

  void begin(std::int64_t passes) {
    if (passes < 1) {
      throw ArgumentError("[Buckets] expected at least one pass, got " + std::to_string(passes));
    }
    const std::lock_guard lock(mutex_);
    left_ = passes;
    sent_ = 0;
    for (Slot& slot : slots_) slot.filled = slot.came = false;
    for (Bucket& bucket : buckets_) bucket.waits_for = bucket.holds.size();
  }

  void next_pass() {
    const std::lock_guard lock(mutex_);
    --left_;
  }

  /// Weight i has its gradient of this pass.
  void take(std::size_t i) {
    const at::NoGradGuard no_gradients;
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return;  // nothing was begun: gradients are somebody else's
    at::Tensor& gradient = weights_[i].mutable_grad();
    if (!gradient.defined()) return;
    Slot& slot = slots_[i];
    if (slot.filled) {
      slot.gradient.add_(gradient);
    } else {
      slot.gradient.copy_(gradient);
      slot.had.fill_(1);
      slot.filled = true;
    }
    gradient = at::Tensor();
    if (left_ > 1 || slot.came) return;
    slot.came = true;
    --buckets_[slot.bucket].waits_for;
    send_ready();
  }

  void finish() {
    const at::NoGradGuard no_gradients;
    {
      const std::lock_guard lock(mutex_);
      left_ = 0;
      // Weights without a gradient on this rank, or without one in its last pass.
      for (Slot& slot : slots_) {
        if (!slot.filled) {
          slot.gradient.zero_();
          slot.had.zero_();
        }
      }
      for (Bucket& bucket : buckets_) bucket.waits_for = 0;
      send_ready();
    }
    for (Bucket& bucket : buckets_) {
      bucket.sum->wait();
      bucket.sum.reset();
      const at::Tensor had =
          bucket.flat.slice(0, bucket.flat.size(0) - std::int64_t(bucket.holds.size())).cpu();
      for (std::size_t k = 0; k < bucket.holds.size(); ++k) {
        if (had.const_data_ptr<float>()[k] == 0) continue;
        at::Tensor& weight = weights_[bucket.holds[k]];
        weight.mutable_grad() =
            slots_[bucket.holds[k]].gradient.to(weight.scalar_type(), /*non_blocking=*/false,
                                                /*copy=*/true);
      }
    }
  }

  [[nodiscard]] std::size_t count() const { return buckets_.size(); }
  [[nodiscard]] const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  void lay_out(std::size_t b) {
    Bucket& bucket = buckets_[b];
    std::int64_t size = 0;
    for (const std::size_t i : bucket.holds) size += weights_[i].numel();
    const auto marks = static_cast<std::int64_t>(bucket.holds.size());
    bucket.flat = at::zeros({size + marks},
                            weights_.front().options().dtype(at::kFloat).requires_grad(false));
    std::int64_t offset = 0;
    for (std::int64_t k = 0; k < marks; ++k) {
      const std::size_t i = bucket.holds[static_cast<std::size_t>(k)];
      const at::Tensor& weight = weights_[i];
      if (!weight.is_non_overlapping_and_dense()) {
        throw ArgumentError("[Buckets] expected weights that fill their memory, got strides " +
                            c10::str(weight.strides()));
      }
      slots_[i].gradient = bucket.flat.as_strided(weight.sizes(), weight.strides(), offset);
      slots_[i].had = bucket.flat.narrow(0, size + k, 1);
      slots_[i].bucket = b;
      offset += weight.numel();
    }
  }

  // In the order of the buckets, which is the same on every rank, whatever gradients came first.
  void send_ready() {
    for (; sent_ < buckets_.size() && buckets_[sent_].waits_for == 0; ++sent_) {
      buckets_[sent_].sum = group_.begin_sum(buckets_[sent_].flat);
    }
  }

  Group& group_;
  std::vector<at::Tensor> weights_;
  std::vector<Slot> slots_;
  std::vector<Bucket> buckets_;
  std::mutex mutex_;  // hooks come from the threads of the backward pass
  std::int64_t left_ = 0;
  std::size_t sent_ = 0;
};

Buckets::Buckets(Group& group, const std::vector<at::Tensor>& weights, std::int64_t bytes)
    : collector_(std::make_unique<Collector>(group, weights, bytes)) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    torch::autograd::impl::set_post_acc_grad_hooks(
        weights[i],
        std::make_unique<Hook>([collector = collector_.get(), i] { collector->take(i); }));
  }
}

Buckets::~Buckets() {
  for (const at::Tensor& weight : collector_->weights()) {
    torch::autograd::impl::set_post_acc_grad_hooks(weight, nullptr);
  }
}

void Buckets::begin(std::int64_t passes) { collector_->begin(passes); }
void Buckets::next_pass() { collector_->next_pass(); }
void Buckets::finish() { collector_->finish(); }
std::size_t Buckets::count() const { return collector_->count(); }

}  // namespace tinta::dist
