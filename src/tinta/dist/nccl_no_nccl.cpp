#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "tinta/core/error.h"
#include "tinta/dist/nccl.h"

namespace tinta::dist {

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& /*store*/,
                                            int /*rank*/, int size,
                                            std::chrono::milliseconds /*patience*/) {
  throw ArgumentError("[processes] expected a build with CUDA (cmake --preset cuda) for " +
                      std::to_string(size) + " processes on GPUs, got one without");
}

}  // namespace tinta::dist
