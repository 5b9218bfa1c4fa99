#include "tinta/bench/process.h"

#include <ATen/ATen.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "tinta/core/error.h"

namespace tinta::bench {
namespace {

// Clock ticks since the machine's start at which this process began: field 22 of proc(5)'s stat,
// counted after the program's name, which may hold spaces.
double start_ticks() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    throw SystemError("[/proc/self/stat] expected the process's start, got nothing to read");
  }
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return std::stod(field);
}

// The value of a line like "VmHWM:   1234 kB" of /proc/self/status, in kibibytes.
double status_kibibytes(const std::string& name) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1));
  }
  throw SystemError("[/proc/self/status] expected a line " + name + ", got none");
}

c10::DeviceAllocator& allocator_of(at::Device device) {
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr) {
    throw SystemError("[bench] expected an allocator of " + device.str() +
                      " that counts, got another");
  }
  return *allocator;
}

}  // namespace

double seconds_since_start() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double seconds = static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  return seconds - start_ticks() / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string to_string(PeakSpan span) { return span == PeakSpan::steps ? "steps" : "process"; }

PeakMemory::PeakMemory(at::Device device) : device_(device) {
  if (!device.is_cpu()) {
    allocator_of(device).resetPeakStats(device.index());
    return;
  }
  std::ofstream file("/proc/self/clear_refs");
  if (!(file << "5\n" << std::flush)) span_ = PeakSpan::process;
}

double PeakMemory::mebibytes() const {
  if (device_.is_cpu()) return status_kibibytes("VmHWM") / 1024;
  const auto stats = allocator_of(device_).getDeviceStats(device_.index());
  return static_cast<double>(stats.allocated_bytes[0].peak) / (1024.0 * 1024.0);
}

}  // namespace tinta::bench
