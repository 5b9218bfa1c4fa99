#pragma once

#include <cstdint>
#include <filesystem>

#include "tinta/io/event_file.h"
#include "tinta/training/metrics.h"
#include "tinta/training/validation.h"

namespace tinta::experiment {

/// What TensorBoard shows of a run: RUN/tb, one file for each time that training began or went on.
/// A file begins with a restart at its first step, by which TensorBoard forgets what an earlier one
/// says of steps that were lost with a killed process and are done again.
class EventLog {
 public:
  /// @param run  locked by the caller
  /// @param step steps that are done
  /// @throws SystemError
  EventLog(const std::filesystem::path& run, std::uint64_t step);

  /// The numbers of a line of metrics. Tags are its keys; losses by noise level are
  /// "loss_by_t/00-10" and so on, per cent of T. @throws SystemError
  void add(const training::MetricsLine& line);
  /// "validation/loss" and "validation/standard_error". @throws SystemError
  void add(const training::Validation& validation);
  /// A grid of samples, tag "samples". @throws SystemError
  void add(std::uint64_t step, io::EventImage picture);
  /// Down to the disk. @throws SystemError
  void flush() { file_.flush(); }

 private:
  io::EventFile file_;
};

}  // namespace tinta::experiment
