#include "tinta/bench/advice.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tinta/config/names.h"
#include "tinta/core/text.h"
#include "tinta/experiment/run.h"
#include "tinta/process/schedule.h"

namespace tinta::bench {
namespace {

// What is left of the picture, as amplitudes sqrt(alpha_bar).
constexpr double kLeftWarning = 0.02;
constexpr double kLeftError = 0.1;
constexpr double kGone = 0.01;
constexpr double kWastedShare = 0.3;
constexpr double kFirstNoise = 0.1;
constexpr std::int64_t kManyPositions = 1024;

class Findings {
 public:
  void error(std::string kind, std::string text, std::string remedy) {
    all_.push_back({Severity::error, std::move(kind), std::move(text), std::move(remedy)});
  }
  void warning(std::string kind, std::string text, std::string remedy) {
    all_.push_back({Severity::warning, std::move(kind), std::move(text), std::move(remedy)});
  }
  void add(Severity severity, std::string kind, std::string text, std::string remedy) {
    all_.push_back({severity, std::move(kind), std::move(text), std::move(remedy)});
  }
  std::vector<Advice> take() { return std::move(all_); }

 private:
  std::vector<Advice> all_;
};

std::string rounded(double value) {
  const double power = std::pow(10.0, 1 - std::floor(std::log10(value)));
  return shortest(std::round(value * power) / power);
}

// Betas that do in T steps what Ho et al.'s, 1e-4 to 0.02, do in 1000.
std::string fitting_betas(std::int64_t steps) {
  const double scale = 1000.0 / static_cast<double>(steps);
  if (0.02 * scale > 0.5) return "--set process.schedule=cosine, which suits any T";
  return "--set process.beta_start=" + rounded(1e-4 * scale) +
         " --set process.beta_end=" + rounded(0.02 * scale) +
         ", or --set process.schedule=cosine, which suits any T";
}

std::string made_for(const config::ProcessConfig& process) {
  const bool usual = process.schedule == "linear" && process.beta_start == 1e-4 &&
                     process.beta_end == 0.02 && process.steps != 1000;
  return usual ? "; betas from 1e-4 to 0.02 were made for 1000 steps, and there are " +
                     std::to_string(process.steps)
               : "";
}

void examine_schedule(const config::ProcessConfig& process, Findings& findings) {
  const auto schedule = process::make_schedule(process);
  const int last = schedule->steps();
  // As it would be in x_t of unit variance.
  const auto signal = [&](int t) { return std::sqrt(schedule->alpha_bar(t)); };
  const auto noise = [&](int t) { return std::sqrt(1 - schedule->alpha_bar(t)); };
  const double left = signal(last);
  if (left > kLeftWarning) {
    findings.add(left > kLeftError ? Severity::error : Severity::warning, "terminal-snr",
                 "x_T keeps sqrt(alpha_bar_T) = " + fixed(left, 3) +
                     " of the picture, but sampling starts from noise alone" + made_for(process),
                 fitting_betas(process.steps));
  }
  int gone = 0;
  for (int t = 1; t <= last; ++t) gone += signal(t) < kGone ? 1 : 0;
  const double share = static_cast<double>(gone) / last;
  if (share > kWastedShare) {
    findings.warning("wasted-steps",
                     "in " + fixed(100 * share, 0) +
                         "% of the steps less than a hundredth of the picture is left" +
                         made_for(process),
                     fitting_betas(process.steps));
  }
  if (noise(1) > kFirstNoise) {
    findings.warning("first-step",
                     "the noise of x_1 is " + fixed(noise(1), 2) +
                         ", which the last step of sampling must remove at once",
                     "a smaller process.beta_start");
  }
}

std::string by(std::int64_t side) { return std::to_string(side) + " x " + std::to_string(side); }

void examine_sizes(const config::RunConfig& config, Findings& findings) {
  const experiment::PictureShape shape = experiment::nominal_shape(config);
  const auto levels = static_cast<std::int64_t>(config.model.multipliers.size());
  const std::int64_t side = shape.height;
  const std::int64_t unit = std::int64_t{1} << (levels - 1);
  if (side < 1) return;  // arrays as they are
  const std::int64_t padded = (side + unit - 1) / unit * unit;
  if (padded != side) {
    findings.warning(
        "padding",
        "pictures of " + by(side) + " are padded to " + by(padded) + ", as " +
            std::to_string(levels) + " levels halve a side " + std::to_string(levels - 1) +
            " times",
        "a side that " + std::to_string(unit) + " divides, or fewer entries in model.multipliers");
  }
  if (padded / unit < 2) {
    findings.warning("deepest-level", "the deepest level sees pictures of " + by(padded / unit),
                     "fewer entries in model.multipliers, or larger pictures");
  }
  for (const std::int64_t level : config.model.attention_levels) {
    const std::int64_t at = padded >> level;
    if (at * at > kManyPositions) {
      findings.warning("attention",
                       "level " + std::to_string(level) + " attends to " + std::to_string(at * at) +
                           " positions, each to each",
                       "leave it out of model.attention_levels");
    }
  }
}

void examine_training(const config::RunConfig& config, Findings& findings) {
  const config::TrainingConfig& training = config.training;
  if (training.warmup_steps >= training.steps) {
    findings.warning("warm-up",
                     "training.warmup_steps = " + std::to_string(training.warmup_steps) +
                         " outlasts training.steps = " + std::to_string(training.steps) +
                         ": the learning rate is never reached",
                     "fewer warm-up steps, or more steps");
  }
  if (config.model.classes > 0 && training.class_dropout == 0 && config.sampling.guidance != 1) {
    findings.error("null-class",
                   "sampling.guidance = " + shortest(config.sampling.guidance) +
                       " asks the null class, which training.class_dropout = 0 never trains",
                   "--set training.class_dropout=0.1, or --set sampling.guidance=1");
  }
  if (config.model.classes > 0 && training.class_dropout == 1) {
    findings.error("classes-dropped", "training.class_dropout = 1 hides every label",
                   "--set training.class_dropout=0.1, or --set model.classes=0");
  }
  if (training.checkpoint_every == 0 || training.checkpoint_every > training.steps) {
    findings.warning("no-checkpoints", "nothing is saved before the end: a power cut costs it all",
                     "a training.checkpoint_every below training.steps");
  }
}

}  // namespace

bool sound(const std::vector<Advice>& advice) {
  return std::ranges::none_of(advice,
                              [](const Advice& one) { return one.severity == Severity::error; });
}

std::vector<Advice> examine_config(const config::RunConfig& config) {
  Findings findings;
  const std::vector<std::string> broken = config::problems(config);
  for (const std::string& problem : broken) {
    findings.error("config", problem, "--set " + problem.substr(0, problem.find(':')) + "=...");
  }
  if (broken.empty()) {
    examine_schedule(config.process, findings);
    examine_sizes(config, findings);
    examine_training(config, findings);
  }
  return findings.take();
}

std::vector<Advice> examine_data(const config::RunConfig& config, const std::string& path,
                                 const data::Examination& examination) {
  Findings findings;
  for (const data::Finding& finding : examination.findings) {
    findings.add(finding.severity == data::Severity::error ? Severity::error : Severity::warning,
                 "data-" + finding.kind, finding.text,
                 "tinta data doctor " + shell_word(path) + " names them");
  }
  if (examination.source != config.data.source) {
    findings.error("data-source",
                   "the config reads data.source = " + config.data.source + ", but " + path +
                       " holds " + examination.source,
                   "another preset: tinta train --data " + shell_word(path) + " picks one");
    return findings.take();
  }
  if (examination.splits.empty()) return findings.take();
  const data::SplitSummary& train = examination.splits.front();
  const auto classes = static_cast<std::int64_t>(train.class_counts.size());
  if (config.model.classes > 0 && classes != config.model.classes) {
    findings.error("data-classes",
                   "the config has model.classes = " + std::to_string(config.model.classes) +
                       ", the data " + std::to_string(classes),
                   "--set model.classes=" + std::to_string(classes));
  }
  if (train.readable > 0 && train.readable < config.training.batch) {
    findings.warning("data-few",
                     "a batch of " + std::to_string(config.training.batch) + " is more than the " +
                         std::to_string(train.readable) + " pictures there are",
                     "more pictures, or --set training.batch=" + std::to_string(train.readable));
  }
  return findings.take();
}

}  // namespace tinta::bench
