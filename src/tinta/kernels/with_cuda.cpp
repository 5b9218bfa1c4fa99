// What a build with CUDA adds: the table of its kernels, streams, graphs. The only file that
// includes LibTorch's CUDA headers.

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "tinta/kernels/gpu.h"
#include "tinta/kernels/kernels_cuda.h"

namespace tinta::kernels {
namespace {

class CudaStepGraph : public StepGraph {
 public:
  explicit CudaStepGraph(const at::Device& device)
      : stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())) {}

  void run(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    work();
  }

  void record(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    c10::cuda::device_synchronize();
    graph_.capture_begin();
    try {
      work();
    } catch (...) {
      end_after_failure();
      throw;
    }
    graph_.capture_end();
  }

  void play() override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    graph_.replay();
  }

 private:
  // The stream must not go on recording; what was wrong is told by the exception under way.
  void end_after_failure() noexcept {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      return;
    }
  }

  c10::cuda::CUDAStream stream_;
  at::cuda::CUDAGraph graph_;
};

}  // namespace

const CudaKernels* cuda_kernels() noexcept {
  static constexpr CudaKernels kTable{.fill_normal = fill_normal_cuda,
                                      .fill_dropout = fill_dropout_cuda,
                                      .adamw = adamw_cuda,
                                      .square_sum = square_sum_cuda,
                                      .gradient_scale = gradient_scale_cuda,
                                      .group_norm_forward = group_norm_forward_cuda,
                                      .group_norm_backward = group_norm_backward_cuda};
  return &kTable;
}

CudaStream current_stream(const at::Device& device) {
  return c10::cuda::getCurrentCUDAStream(device.index()).stream();
}

std::unique_ptr<StepGraph> make_step_graph(const at::Device& device) {
  if (!device.is_cuda()) return nullptr;
  return std::make_unique<CudaStepGraph>(device);
}

}  // namespace tinta::kernels
