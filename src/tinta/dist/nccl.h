#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace tinta::dist {

/// NCCL between the GPUs that the processes have made their current ones.
/// @throws ArgumentError in a build without TINTA_CUDA, or without NCCL's header
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                            int size, std::chrono::milliseconds patience);

}  // namespace tinta::dist
