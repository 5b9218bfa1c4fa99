#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>

#include "tinta/kernels/cuda.h"

// Between tensors and the .cu files. A build without CUDA has these too; there are no kernels then.

namespace tinta::kernels {

/// The kernels for a tensor: null where it is not on a GPU, or where this build has none.
const CudaKernels* kernels_for(const at::Tensor& x);

/// Calls `launch(stream)` with the tensor's GPU selected and the stream that ATen uses there.
/// @throws SystemError with CUDA's reason, naming `where`
void launch_on(const at::Tensor& x, const char* where,
               const std::function<CudaError(CudaStream)>& launch);

/// @throws ArgumentError naming both devices where `other`, if defined, is not on x's
void require_same_device(const char* where, const at::Tensor& x, const at::Tensor& other,
                         const char* what);

/// What the elements are. @param dtype float32, bfloat16 or float16
device::Element element_of(at::ScalarType dtype);

/// x on a device, in its dtype. To a GPU it goes through pinned memory, and nothing waits for it.
at::Tensor sent(const at::Tensor& x, const at::Device& device);

/// Work on a GPU that is recorded once and played again and again, by one call of the driver
/// instead of one for each kernel (CUDA graphs). It computes on the same memory each time: inputs
/// are written where they were when it was recorded, and so are results.
class StepGraph {
 public:
  virtual ~StepGraph() = default;
  /// Runs work as it is, on the graph's own stream. To be done some times before the first record:
  /// libraries make up their minds and allocate then, which cannot be recorded.
  virtual void run(const std::function<void()>& work) = 0;
  /// Records work without doing it. Nothing in it may wait for the GPU.
  virtual void record(const std::function<void()>& work) = 0;
  /// Queues what was recorded, on the graph's own stream.
  virtual void play() = 0;
};

/// Null where the device is no GPU or this build has no CUDA.
std::unique_ptr<StepGraph> make_step_graph(const at::Device& device);

/// The stream that ATen uses on a GPU; null in a build without CUDA.
CudaStream current_stream(const at::Device& device);

}  // namespace tinta::kernels
