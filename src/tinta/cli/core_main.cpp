// The engine program: what `tinta` replaces itself with when there is work for LibTorch. It reads
// the same arguments with the same code, and may be run on its own, by a launcher of several
// processes.

#if defined(__linux__)
#include <malloc.h>
#endif

#include <string>
#include <vector>

#include "tinta/bench/commands.h"
#include "tinta/cli/command_line.h"
#include "tinta/cli/interrupt.h"
#include "tinta/cli/local_commands.h"
#include "tinta/cli/progress.h"
#include "tinta/cli/report.h"
#include "tinta/cli/validate.h"
#include "tinta/cli/verify_resume.h"
#include "tinta/cli/watch_commands.h"
#include "tinta/experiment/commands.h"
#include "tinta/lab/commands.h"

namespace tinta::cli {
namespace {

struct Engine {
  ProgressDisplay& display;

  Outcome operator()(const HelpText& help) const { return {help.text}; }
  Outcome operator()(const config::VersionOptions& options) const {
    return {version_text() + (options.verbose ? experiment::engine_versions() : "")};
  }
  Outcome operator()(const config::DataListOptions& options) const { return data_list(options); }
  Outcome operator()(const config::ConfigCheckOptions& options) const {
    return config_check(options);
  }
  Outcome operator()(const config::LabListOptions& options) const { return lab_list(options); }
  Outcome operator()(const config::RunsOptions& options) const { return list_runs(options); }
  Outcome operator()(const config::LogOptions& options) const { return show_log(options); }
  Outcome operator()(const config::PlotOptions& options) const {
    return {experiment::run_plot(options)};
  }
  Outcome operator()(const config::DoctorOptions& options) const {
    bool sound = true;
    Outcome outcome = stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      experiment::Examined examined = bench::run_doctor(options, sinks, stop);
      sound = examined.sound;
      return std::move(examined.text);
    });
    if (!sound && outcome.exit_code == kDone) outcome.exit_code = kFailed;
    return outcome;
  }
  Outcome operator()(const config::VerifyResumeOptions& options) const {
    Outcome outcome = verify_resume(options, display.sinks());
    display.finish();
    return outcome;
  }
  Outcome operator()(const config::LabOptions& options) const {
    bool held = true;
    Outcome outcome = stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      lab::Verdict verdict = lab::run_lab(options, sinks, stop);
      held = verdict.held;
      return std::move(verdict.text);
    });
    if (!held && outcome.exit_code == kDone) outcome.exit_code = kFailed;
    return outcome;
  }
  Outcome operator()(const config::LabReportOptions& options) const {
    return {lab::run_report(options)};
  }
  Outcome operator()(const config::DataInfoOptions& options) const {
    Outcome outcome{experiment::run_data_info(options, display.sinks())};
    display.finish();
    return outcome;
  }
  Outcome operator()(const config::DataDoctorOptions& options) const {
    const experiment::Examined examined = experiment::run_data_doctor(options, display.sinks());
    display.finish();
    return {examined.text, examined.sound ? int{kDone} : int{kFailed}};
  }
  Outcome operator()(const config::DataGetOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_data_get(options, sinks, stop);
    });
  }
  Outcome operator()(const config::ModelInfoOptions& options) const {
    return {experiment::run_model_info(options)};
  }
  Outcome operator()(const config::BenchOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return bench::run_bench(options, sinks, stop);
    });
  }
  Outcome operator()(const config::BenchStepsOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return bench::run_bench_steps(options, sinks, stop);
    });
  }
  Outcome operator()(const config::TrainOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_train(options, sinks, stop);
    });
  }
  Outcome operator()(const config::SampleOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_sample(options, sinks, stop);
    });
  }
  Outcome operator()(const config::DenoiseOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_denoise(options, sinks, stop);
    });
  }
  Outcome operator()(const config::InpaintOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_inpaint(options, sinks, stop);
    });
  }
  Outcome operator()(const config::EvalOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_eval(options, sinks, stop);
    });
  }
  Outcome operator()(const config::ClassifierTrainOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_classifier_train(options, sinks, stop);
    });
  }

 private:
  template <class Work>
  Outcome stoppable(Work&& work) const {
    catch_interrupts();
    std::string text = work(display.sinks(), [] { return interrupted_by() != 0; });
    display.finish();
    const int signal = interrupted_by();
    return {std::move(text), signal == 0 ? int{kDone} : kSignalBase + signal};
  }
};

int run(const std::vector<std::string>& words) {
  const Command command = parse_command_line(words, process_environment());
  validate(command);
  // Gone before an error is reported, so that a bar never shares its line.
  ProgressDisplay display(screen_of_stderr(), write_to_stderr, steady_seconds);
  const Outcome outcome = std::visit(Engine{display}, command);
  print(outcome.text);
  return outcome.exit_code;
}

// A step frees and takes the same large arrays as the one before. glibc would hand them back to the
// system each time, which then clears them anew, page by page.
void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

}  // namespace
}  // namespace tinta::cli

int main(int argc, char** argv) {
  tinta::cli::keep_memory();
  return tinta::cli::report_errors(
      [&] { return tinta::cli::run(std::vector<std::string>(argv + 1, argv + argc)); });
}
