// The engine program: what `tinta` replaces itself with when there is work for LibTorch. It reads
// the same arguments with the same code, and may be run on its own, by a launcher of several
// processes.

#if defined(__linux__)
#include <malloc.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
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
#include "tinta/core/error.h"
#include "tinta/dist/connect.h"
#include "tinta/experiment/commands.h"
#include "tinta/lab/commands.h"

namespace tinta::cli {
namespace {

/// Commands that several processes share.
template <class Options>
constexpr bool kShared =
    std::is_same_v<Options, config::TrainOptions> ||
    std::is_same_v<Options, config::SampleOptions> ||
    std::is_same_v<Options, config::EvalOptions> || std::is_same_v<Options, config::DenoiseOptions>;

/// Those of its options that say where it runs: those of sampling, where it is about that.
template <class Options>
auto& place_of(Options& options) {
  if constexpr (requires { options.sample; }) {
    return options.sample;
  } else {
    return options;
  }
}

struct Engine {
  ProgressDisplay& display;
  dist::Connection& processes;

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
      return experiment::run_train(placed(options), sinks, stop, processes.group());
    });
  }
  Outcome operator()(const config::SampleOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_sample(placed(options), sinks, stop, processes.group());
    });
  }
  Outcome operator()(const config::DenoiseOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_denoise(placed(options), sinks, stop, processes.group());
    });
  }
  Outcome operator()(const config::InpaintOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_inpaint(options, sinks, stop);
    });
  }
  Outcome operator()(const config::EvalOptions& options) const {
    return stoppable([&](const Sinks& sinks, const StopRequested& stop) {
      return experiment::run_eval(placed(options), sinks, stop, processes.group());
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
    dist::Group& group = processes.group();
    // One of several speaks.
    catch_interrupts(group.leads() ? kStoppingNote : "");
    std::string text =
        work(group.leads() ? display.sinks() : Sinks{}, [] { return interrupted_by() != 0; });
    display.finish();
    const int signal = signal_of_all();
    return {std::move(text), signal == 0 ? int{kDone} : kSignalBase + signal};
  }

  // The signal that some process got: all end alike.
  [[nodiscard]] int signal_of_all() const {
    dist::Group& group = processes.group();
    std::vector<double> signals(static_cast<std::size_t>(group.size()), 0);
    signals[static_cast<std::size_t>(group.rank())] = interrupted_by();
    group.sum(signals);
    return static_cast<int>(*std::ranges::max_element(signals));
  }

  // This process's share of the machine, where the user did not say otherwise.
  template <class Options>
  [[nodiscard]] Options placed(Options options) const {
    if (processes.group().size() == 1) return options;
    config::Machine& machine = place_of(options).machine;
    if (machine.threads == 0) machine.threads = processes.threads();
    if (machine.gpu == 0) machine.gpu = processes.local_rank();
    return options;
  }
};

// The process ends where it is: others are lost, and what waits for them would wait for ever. A run
// folder is whole at every instant.
[[noreturn]] void end_now(int exit_code) { _exit(exit_code); }

// The watch over the others and this process's own work may fail at the same time: the first one
// has the word, and ends the process.
bool first_to_fail() {
  static std::atomic_flag failed;
  return !failed.test_and_set();
}

std::unique_ptr<dist::Connection> meet_others(const Command& command) {
  dist::ConnectConfig config{.seat = dist::seat_from(process_environment()),
                             .version = version_text(),
                             .on_loss = [](const dist::Loss& loss) {
                               if (first_to_fail()) end_now(complain(loss.text, loss.exit_code));
                             }};
  std::visit(
      [&]<class Options>([[maybe_unused]] const Options& options) {
        if constexpr (kShared<Options>) {
          config.timeout = std::chrono::seconds(place_of(options).processes.timeout);
        } else if (config.seat.size > 1) {
          throw ArgumentError("[processes] expected one process for this command, got " +
                              std::to_string(config.seat.size) +
                              "; train, sample, eval and denoise run as several");
        }
      },
      command);
  return dist::connect(config);
}

int run(const std::vector<std::string>& words, std::unique_ptr<dist::Connection>& processes) {
  const Command command = parse_command_line(words, process_environment());
  validate(command);
  processes = meet_others(command);
  // Gone before an error is reported, so that a bar never shares its line.
  ProgressDisplay display(screen_of_stderr(), write_to_stderr, steady_seconds);
  const Outcome outcome = std::visit(Engine{display, *processes}, command);
  processes->leave();
  print(outcome.text);
  return outcome.exit_code;
}

// A step frees and takes the same large arrays as the one before. glibc, where its malloc is the
// one (cmake/Allocator.cmake), would hand them back to the system each time, which then clears them
// anew, page by page.
void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

int run_engine(const std::vector<std::string>& words) {
  // Not closed where an error ends the work: closing waits for the others.
  std::unique_ptr<dist::Connection> processes;
  bool failed = false;
  const auto tell_others = [&](int code, std::string_view text) {
    failed = true;
    if (!processes) return;
    if (!first_to_fail()) {
      for (;;) pause();
    }
    processes->fail(code, std::string(text));
  };
  const int exit_code = report_errors([&] { return run(words, processes); }, tell_others);
  if (failed && processes && processes->group().size() > 1) end_now(exit_code);
  return exit_code;
}

}  // namespace
}  // namespace tinta::cli

int main(int argc, char** argv) {
  tinta::cli::keep_memory();
  return tinta::cli::run_engine(std::vector<std::string>(argv + 1, argv + argc));
}
