#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// What LibTorch did when: its operators, the nodes of the backward pass and our own scopes
// (RECORD_USER_SCOPE), as its at::RecordFunction tells an observer. Nothing is watched, and the
// scopes cost nothing that can be measured, while no Trace lives.

namespace tinta::experiment {

/// Sizes, strides and type of a tensor, without its values.
struct TensorForm {
  std::vector<std::int64_t> sizes{};
  std::vector<std::int64_t> strides{};
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;

  friend bool operator==(const TensorForm&, const TensorForm&) = default;
};

/// A call of aten::convolution_backward: one operation that computes up to three gradients.
struct ConvolutionBackward {
  TensorForm upstream, input, weight;
  std::vector<std::int64_t> stride{}, padding{}, dilation{};
  std::int64_t groups = 1;
  bool to_input = true;   ///< whether the gradient of the input was asked for
  bool to_weight = true;  ///< of the weight, and of the bias with it

  friend bool operator==(const ConvolutionBackward&, const ConvolutionBackward&) = default;
};

struct Operation {
  std::string name{};  ///< "aten::mm", "ConvolutionBackward0", "tinta::group_norm"
  std::uint64_t thread = 0;
  std::int64_t start = 0;  ///< nanoseconds since the trace began
  std::int64_t end = 0;
  std::string sizes{};  ///< of its first tensors, "[8,32,28,28] [32,32,3,3]"; "" for scopes
  std::shared_ptr<const ConvolutionBackward> convolution{};  ///< null for any other operation
};

/// Traces what its thread computes, backward passes included, from construction to finish(). On a
/// device that works behind the program's back each operation waits for the device to be done, so
/// that times are those of the work and not of its ordering; steps take longer then. Begun,
/// finished and destroyed in one thread; inside of one another, the inner one sees all.
class Trace {
 public:
  explicit Trace(at::Device device);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// Ends the trace. @return the operations in the order of their starts, by thread
  [[nodiscard]] std::vector<Operation> finish();

 private:
  class Journal;
  void stop();

  std::shared_ptr<Journal> journal_;
  std::unique_ptr<c10::DebugInfoGuard> guard_;
  std::uint64_t callback_ = 0;
};

/// Waits until a device has done what was asked of it; nothing on the CPU.
void wait_for(at::Device device);

}  // namespace tinta::experiment
