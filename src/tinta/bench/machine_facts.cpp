#include "tinta/bench/machine_facts.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <system_error>

#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/kernels/cuda.h"
#include "tinta/kernels/isa.h"

namespace tinta::bench {
namespace fs = std::filesystem;
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// "" where it cannot be read.
std::string text_of(const fs::path& path) {
  try {
    return read_text(path);
  } catch (const Error&) {
    return "";
  }
}

std::vector<std::string> instruction_sets(const std::string& cpuinfo) {
  constexpr std::array<const char*, 8> kThatCount = {
      "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile"};
  const std::vector<std::string> flags = split(proc_value(cpuinfo, "flags"), ' ');
  std::vector<std::string> found;
  for (const char* name : kThatCount) {
    if (std::ranges::count(flags, name) > 0) found.emplace_back(name);
  }
  return found;
}

std::int64_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
}

// A number of a control group's file in mebibytes; infinite where it says "max" or is not there.
double group_mebibytes(const char* file) {
  double bytes = 0;
  const std::string text = text_of(fs::path("/sys/fs/cgroup") / file);
  const std::vector<std::string> lines = split(text, '\n');
  if (lines.empty() || !config::from_text(lines.front(), bytes)) {
    return std::numeric_limits<double>::infinity();
  }
  return bytes / (1024.0 * 1024.0);
}

std::string gpus() {
  if (!c10::impl::hasDeviceGuardImpl(at::kCUDA)) {
    return "none: this LibTorch is for the CPU alone";
  }
  const std::int64_t count = at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (count == 0) return "none: the driver shows no device";
  return std::to_string(count) + (kernels::cuda_kernels() == nullptr
                                      ? ", without kernels of ours (cmake --preset cuda has them)"
                                      : ", with kernels of ours");
}

}  // namespace

std::string proc_value(const std::string& text, const std::string& name) {
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (trimmed(line.substr(0, colon)) == name) return trimmed(line.substr(colon + 1));
  }
  return "";
}

double proc_mebibytes(const std::string& text, const std::string& name) {
  const std::vector<std::string> words = split(proc_value(text, name), ' ');
  double kibibytes = 0;
  return words.size() == 2 && words.back() == "kB" && config::from_text(words.front(), kibibytes)
             ? kibibytes / 1024
             : 0;
}

MachineFacts machine_facts(const fs::path& folder) {
  const std::string cpuinfo = text_of("/proc/cpuinfo");
  const std::string meminfo = text_of("/proc/meminfo");
  MachineFacts facts{.cpu = proc_value(cpuinfo, "model name"),
                     .cores = usable_cores(),
                     .threads = at::get_num_threads(),
                     .instruction_sets = instruction_sets(cpuinfo),
                     .kernels = kernels::to_string(kernels::best_isa()),
                     .bf16 = kernels::has_bf16(),
                     .gpu = gpus()};
  if (facts.cpu.empty()) facts.cpu = "unknown";
  const double limit = group_mebibytes("memory.max");
  facts.memory_mebibytes = std::min(proc_mebibytes(meminfo, "MemTotal"), limit);
  facts.memory_available_mebibytes = proc_mebibytes(meminfo, "MemAvailable");
  if (std::isfinite(limit)) {
    facts.memory_available_mebibytes =
        std::min(facts.memory_available_mebibytes, limit - group_mebibytes("memory.current"));
  }
  std::error_code failed;
  fs::path place = fs::absolute(folder, failed);
  while (!fs::exists(place, failed) && place.has_relative_path()) place = place.parent_path();
  const fs::space_info space = fs::space(place, failed);
  if (!failed) facts.disk_free_mebibytes = static_cast<double>(space.available) / (1024.0 * 1024.0);
  return facts;
}

}  // namespace tinta::bench
