// Run by CMake (Dist.cmake): do the headers of Gloo and the library in LibTorch agree? A group of
// one process adds up a tensor.

#include <ATen/ATen.h>

#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

int main() {
  const auto options = c10d::ProcessGroupGloo::Options::create();
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  c10d::ProcessGroupGloo group(c10::make_intrusive<c10d::HashStore>(), 0, 1, options);
  std::vector<at::Tensor> numbers{at::ones({3})};
  group.allreduce(numbers)->wait();
  return numbers[0].sum().item<float>() == 3 ? 0 : 1;
}
