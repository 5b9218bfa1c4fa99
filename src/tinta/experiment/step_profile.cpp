#include "tinta/experiment/step_profile.h"

#include <string>
#include <utility>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/training/step.h"

namespace tinta::experiment {

StepProfile::StepProfile(std::int64_t steps, at::Device device, std::filesystem::path file,
                         Sinks sinks)
    : wanted_(steps), device_(device), file_(std::move(file)), sinks_(std::move(sinks)) {}

void StepProfile::before_step() {
  if (done_ == kWarmUp) trace_ = std::make_unique<Trace>(device_);
}

void StepProfile::after_step() {
  ++done_;
  if (done_ == kWarmUp + wanted_) end();
}

void StepProfile::end() {
  if (!trace_) return;
  const std::vector<Operation> operations = std::exchange(trace_, nullptr)->finish();
  write_file(file_, chrome_trace(operations), Existing::replace);
  result_ = profile_of(operations, training::TrainingStep::kStepScope, measured_data_share());
  sinks_.info("traced " + std::to_string(result_->steps) + " steps: " + file_.string());
}

ProfileSummary profile_summary(const StepProfile& profile) {
  if (!profile.result()) {
    return {.text = "no step was traced: training ended within " +
                    std::to_string(StepProfile::kWarmUp) + " steps of warm-up\n"};
  }
  nlohmann::ordered_json json = to_json(*profile.result());
  json["trace"] = profile.file().string();
  return {.text = "time by part, mean of " + std::to_string(profile.result()->steps) +
                  " traced steps; " + profile.file().string() + "\n" + table_of(*profile.result()),
          .json = std::move(json)};
}

}  // namespace tinta::experiment
