#include "tinta/bench/doctor_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tinta/core/text.h"

namespace tinta::bench {
namespace {

using nlohmann::ordered_json;

constexpr double kLongestUnsaved = 30 * 60;  // seconds between two checkpoints

std::string mebibytes(double value) {
  return value < 1024 ? fixed(value, 0) + " MiB" : fixed(value / 1024, 1) + " GiB";
}

const char* name_of(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

ordered_json machine_json(const MachineFacts& facts) {
  return {{"cpu", facts.cpu},
          {"cores", facts.cores},
          {"threads", facts.threads},
          {"instruction_sets", facts.instruction_sets},
          {"kernels", facts.kernels},
          {"bf16", facts.bf16},
          {"memory_mib", facts.memory_mebibytes},
          {"memory_available_mib", facts.memory_available_mebibytes},
          {"disk_free_mib", facts.disk_free_mebibytes},
          {"gpu", facts.gpu}};
}

ordered_json run_json(const DoctorReport& report) {
  if (!report.estimate) return nullptr;
  const Estimate& run = *report.estimate;
  return {{"preset", report.examined},
          {"precision", report.precision},
          {"parameters", run.parameters},
          {"gflop_per_image", run.gflop_per_image},
          {"batch", run.batch},
          {"timed_batch", run.timed_batch},
          {"basis", basis(run)},
          {"seconds_per_step", run.seconds_per_step},
          {"seconds", run.seconds},
          {"preview_seconds", run.preview_seconds},
          {"memory_mib", run.mebibytes},
          {"checkpoint_mib", run.checkpoint_mebibytes},
          {"disk_mib", run.disk_mebibytes}};
}

ordered_json overfit_json(const DoctorReport& report) {
  if (!report.overfit) return nullptr;
  const Overfit& done = *report.overfit;
  return {{"passed", done.passed()},
          {"data", done.data},
          {"pictures", done.pictures},
          {"steps", done.steps},
          {"first", done.first},
          {"last", done.last},
          {"must_fall_below", Overfit::kShare * done.first}};
}

std::string row(const std::string& name, const std::string& value) {
  constexpr std::size_t kColumn = 14;
  return "  " + name + std::string(kColumn - std::min(kColumn - 1, name.size()), ' ') + value +
         "\n";
}

std::string machine_text(const DoctorReport& report) {
  const MachineFacts& facts = report.facts;
  std::string text = "machine\n";
  text += row("processor", facts.cpu);
  text += row("cores", std::to_string(facts.cores) + ", computing with " +
                           std::to_string(facts.threads) +
                           (facts.threads == 1 ? " thread" : " threads"));
  text +=
      row("instructions", join(facts.instruction_sets, " ") + "; our kernels use " + facts.kernels +
                              "; bfloat16 " + (facts.bf16 ? "in hardware" : "not in hardware"));
  text += row("memory", mebibytes(facts.memory_mebibytes) + ", of which " +
                            mebibytes(facts.memory_available_mebibytes) + " free");
  text += row("disk", mebibytes(facts.disk_free_mebibytes) + " free");
  text += row("GPU", facts.gpu);
  std::vector<std::string> libraries;
  for (const auto& [name, version] : report.libraries) libraries.push_back(name + " " + version);
  text += row("libraries", join(libraries, ", "));
  std::string roof = "convolutions " + fixed(report.fp32 * 1e-9, 0) + " GFLOP/s in fp32";
  if (report.bf16) roof += ", " + fixed(*report.bf16 * 1e-9, 0) + " in bf16";
  text += row("roof", roof + "; memory " + fixed(report.triad * 1e-9, 0) +
                          " GB/s (measured quickly; tinta bench takes its time)");
  return text;
}

std::string run_text(const DoctorReport& report) {
  const Estimate& run = *report.estimate;
  std::string text = "run " + report.examined + "\n";
  text += row("network", std::to_string(run.parameters) + " parameters, " +
                             fixed(run.gflop_per_image, 3) + " GFLOP a picture in training");
  text += row("time", duration(run.seconds) + ", previews of " + duration(run.preview_seconds) +
                          " included; " + fixed(run.seconds_per_step, 3) + " s a step in " +
                          report.precision + ", " + basis(run));
  text += row("memory", mebibytes(run.mebibytes));
  text += row("disk", mebibytes(run.disk_mebibytes) + " of checkpoints, " +
                          mebibytes(run.checkpoint_mebibytes) + " each");
  return text;
}

std::string overfit_text(const Overfit& done) {
  return row("overfit", std::string(done.passed() ? "passed" : "failed") + ": " +
                            std::to_string(done.steps) + " steps on a batch of " +
                            std::to_string(done.pictures) + " (" + done.data + "): loss " +
                            fixed(done.first, 4) + " to " + fixed(done.last, 4) +
                            ", must fall below " + fixed(Overfit::kShare * done.first, 4));
}

}  // namespace

std::vector<Advice> examine_estimate(const Estimate& estimate, const MachineFacts& facts,
                                     const config::RunConfig& config, Place place) {
  std::vector<Advice> found;
  const double free = facts.memory_available_mebibytes;
  if (place == Place::cpu && free > 0 && estimate.mebibytes > free) {
    const bool never = estimate.mebibytes > facts.memory_mebibytes;
    found.push_back({never ? Severity::error : Severity::warning, "memory",
                     "the run needs " + mebibytes(estimate.mebibytes) + " of memory, and " +
                         mebibytes(never ? facts.memory_mebibytes : free) +
                         (never ? " is all there is" : " are free"),
                     "a smaller training.batch, or a smaller network"});
  }
  if (facts.disk_free_mebibytes > 0 && estimate.disk_mebibytes > facts.disk_free_mebibytes) {
    found.push_back(
        {Severity::error, "disk",
         "checkpoints take " + mebibytes(estimate.disk_mebibytes) + " of disk, and " +
             mebibytes(facts.disk_free_mebibytes) + " are free",
         "a smaller training.keep_checkpoints (0 keeps all), or --out on another disk"});
  }
  const config::TrainingConfig& training = config.training;
  const double unsaved = static_cast<double>(training.checkpoint_every) * estimate.seconds_per_step;
  if (training.checkpoint_every <= training.steps && unsaved > kLongestUnsaved) {
    const auto every = static_cast<std::int64_t>(kLongestUnsaved / estimate.seconds_per_step / 3);
    found.push_back(
        {Severity::warning, "rare-checkpoints",
         "there are " + duration(unsaved) + " between two checkpoints",
         "--set training.checkpoint_every=" + std::to_string(std::max<std::int64_t>(every, 1))});
  }
  return found;
}

std::string as_json(const DoctorReport& report) {
  ordered_json json = {
      {"ok", sound(report.advice)},
      {"machine", machine_json(report.facts)},
      {"libraries", ordered_json::object()},
      {"roof",
       {{"fp32_gflops", report.fp32 * 1e-9},
        {"bf16_gflops", report.bf16 ? ordered_json(*report.bf16 * 1e-9) : ordered_json()},
        {"memory_gigabytes_per_second", report.triad * 1e-9}}},
      {"run", run_json(report)},
      {"overfit", overfit_json(report)},
      {"findings", ordered_json::array()}};
  for (const auto& [name, version] : report.libraries) json["libraries"][name] = version;
  for (const Advice& one : report.advice) {
    json["findings"].push_back({{"severity", name_of(one.severity)},
                                {"kind", one.kind},
                                {"text", one.text},
                                {"remedy", one.remedy}});
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_text(const DoctorReport& report) {
  std::string text = machine_text(report);
  if (report.estimate) text += run_text(report);
  if (report.overfit) text += overfit_text(*report.overfit);
  for (const Advice& one : report.advice) {
    text += std::string(name_of(one.severity)) + ": " + one.text + ": " + one.remedy + "\n";
  }
  if (report.advice.empty()) text += "nothing to complain of\n";
  return text;
}

}  // namespace tinta::bench
