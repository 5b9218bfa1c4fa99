#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// What this machine is, as far as a run cares. Linux.

namespace tinta::bench {

struct MachineFacts {
  std::string cpu{};         ///< its name, "unknown" where the system does not say
  std::int64_t cores = 0;    ///< that threads may run on
  std::int64_t threads = 0;  ///< that LibTorch computes with
  std::vector<std::string> instruction_sets{};  ///< of those that count: "avx2", "avx512_bf16", ...
  std::string kernels{};                        ///< instruction set that our kernels use
  bool bf16 = false;                            ///< bfloat16 in hardware
  double memory_mebibytes = 0;            ///< of the machine, or of the group it is limited to
  double memory_available_mebibytes = 0;  ///< likewise, not yet in use
  double disk_free_mebibytes = 0;         ///< where `folder` lies
  std::string
      gpu{};  ///< what GPUs there are, or why none: "none: this LibTorch is for the CPU alone"
};

/// @param folder where runs are to lie; it or its nearest parent that exists is asked
MachineFacts machine_facts(const std::filesystem::path& folder);

/// Name and version of what the programs stand on.
std::vector<std::pair<std::string, std::string>> library_versions();

/// The value of a line "NAME ... : VALUE" of a file of /proc; "" where there is none.
std::string proc_value(const std::string& text, const std::string& name);

/// Mebibytes of a line "NAME:   1234 kB"; 0 where there is none.
double proc_mebibytes(const std::string& text, const std::string& name);

}  // namespace tinta::bench
