#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tinta/core/sink.h"
#include "tinta/experiment/profile.h"

namespace tinta::experiment {

/// `tinta train --profile N`: leaves the first steps alone, traces N, and writes the trace.
class StepProfile {
 public:
  /// Steps before the first traced one: memory, threads and libraries settle in these.
  static constexpr std::int64_t kWarmUp = 3;

  /// @param steps at least 1
  /// @param file  where the Chrome trace goes; replaced
  StepProfile(std::int64_t steps, at::Device device, std::filesystem::path file, Sinks sinks);

  void before_step();
  /// After the last traced step it also writes the file. @throws SystemError when it cannot
  void after_step();
  /// Writes what there is where training ended before. @throws SystemError
  void end();

  /// Absent while no step was traced.
  [[nodiscard]] const std::optional<Profile>& result() const { return result_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  std::int64_t wanted_;
  at::Device device_;
  std::filesystem::path file_;
  Sinks sinks_;
  std::int64_t done_ = 0;  // steps, warm-up included
  std::unique_ptr<Trace> trace_;
  std::optional<Profile> result_;
};

/// What a training's summary says of its profile.
struct ProfileSummary {
  std::string text{};
  nlohmann::ordered_json json{};
};
ProfileSummary profile_summary(const StepProfile& profile);

}  // namespace tinta::experiment
