#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/config/run_log.h"
#include "tinta/config/run_summary.h"

// How run folders look as text.

namespace tinta::cli {

/// "3.4 MiB"
std::string size_text(std::uint64_t bytes);

/// A line for each run under a line of headings, columns as wide as they must be; then what is
/// wrong with those that are damaged.
std::string run_table(const std::vector<config::RunSummary>& runs);

/// Lines of a run as rows: headings before the first of metrics and again after what interrupted
/// them.
class LogTable {
 public:
  /// The row of a line, with its end; "" for what is neither metrics nor log.
  std::string row(const config::RunLine& line);

 private:
  bool headed_ = false;
};

}  // namespace tinta::cli
