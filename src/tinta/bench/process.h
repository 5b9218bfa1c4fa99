#pragma once

#include <ATen/core/Tensor.h>

#include <string>

// What the operating system says of this process. Linux.

namespace tinta::bench {

/// Seconds since this process was started, the front program and its exec() included; to a
/// hundredth. @throws SystemError where the system does not say
double seconds_since_start();

/// What a peak of memory is the peak of.
enum class PeakSpan { steps, process };
std::string to_string(PeakSpan span);

/// The most memory that was in use at once since construction.
class PeakMemory {
 public:
  /// On the CPU the kernel is told to forget the process's peak of resident memory
  /// (/proc/self/clear_refs); where that is not allowed the peak is that of the whole process. On
  /// another device it is the peak of what its allocator gave out.
  explicit PeakMemory(at::Device device);

  [[nodiscard]] double mebibytes() const;
  [[nodiscard]] PeakSpan span() const { return span_; }

 private:
  at::Device device_;
  PeakSpan span_ = PeakSpan::steps;
};

}  // namespace tinta::bench
