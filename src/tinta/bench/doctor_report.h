#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tinta/bench/advice.h"
#include "tinta/bench/estimate.h"
#include "tinta/bench/machine_facts.h"
#include "tinta/bench/overfit.h"

namespace tinta::bench {

/// What `tinta doctor` found.
struct DoctorReport {
  MachineFacts facts{};
  std::vector<std::pair<std::string, std::string>> libraries{};
  double fp32 = 0;               ///< peak of convolutions, operations per second
  std::optional<double> bf16{};  ///< likewise; absent where nothing computes it
  double triad = 0;              ///< bytes per second
  std::string examined{};        ///< the preset or file; "": the machine alone
  std::string precision{};       ///< that it would be trained in
  std::optional<Estimate> estimate{};
  std::optional<Overfit> overfit{};
  std::vector<Advice> advice{};
};

enum class Place { cpu, gpu };

/// memory, disk: what a run needs beside what there is (on a GPU its memory is not known);
/// rare-checkpoints: more than half an hour between two.
std::vector<Advice> examine_estimate(const Estimate& estimate, const MachineFacts& facts,
                                     const config::RunConfig& config, Place place);

/// {"ok", "machine", "libraries", "roof", "run", "overfit", "findings"}; null what was not asked.
std::string as_json(const DoctorReport& report);
/// A paragraph for each, and a line for each finding.
std::string as_text(const DoctorReport& report);

}  // namespace tinta::bench
