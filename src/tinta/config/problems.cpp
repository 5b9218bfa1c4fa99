#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/names.h"
#include "tinta/config/value.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::config {
namespace {

/// Collects broken rules as "key: expected ..., got ...".
class Rules {
 public:
  template <class Value>
  void require(bool holds, const char* key, const std::string& expected, const Value& got) {
    if (!holds)
      broken_.push_back(std::string(key) + ": expected " + expected + ", got " + to_text(got));
  }

  void one_of(const char* key, const std::string& got, const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), got) != names.end()) return;
    broken_.push_back(std::string(key) + ": expected a known name, got " + to_text(got) +
                      suggestion(got, names));
  }

  void range(const char* key, std::int64_t got, std::int64_t low, std::int64_t high) {
    require(got >= low && got <= high, key,
            "a whole number from " + to_text(low) + " to " + to_text(high), got);
  }

  void at_least(const char* key, std::int64_t got, std::int64_t low) {
    require(got >= low, key, "at least " + to_text(low), got);
  }

  void positive(const char* key, double got) {
    require(std::isfinite(got) && got > 0, key, "a finite number above 0", got);
  }

  void not_negative(const char* key, double got) {
    require(std::isfinite(got) && got >= 0, key, "a finite number of at least 0", got);
  }

  /// In [0, 1), as a decay or a share that must leave something.
  void below_one(const char* key, double got) {
    require(got >= 0 && got < 1, key, "a number in [0, 1)", got);
  }

  void share(const char* key, double got) {
    require(got >= 0 && got <= 1, key, "a number in [0, 1]", got);
  }

  std::vector<std::string> take() { return std::move(broken_); }

 private:
  std::vector<std::string> broken_;
};

// Limits that no sensible run meets; they keep products of sizes far from overflow.
constexpr std::int64_t kMaxWidth = 65536;
constexpr std::int64_t kMaxLevels = 12;
constexpr std::int64_t kMaxMultiplier = 1024;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;
constexpr std::int64_t kMostAverages = 8;

void check_data(Rules& rules, const DataConfig& data) {
  rules.one_of("data.source", data.source, picture_source_names());
  rules.range("data.count", data.count, 1, kMaxCount);
  const std::int64_t largest = data.source == "glyphs" ? 512 : 4096;
  const bool as_they_are = data.source == "arrays" && data.size == 0;
  if (!as_they_are) rules.range("data.size", data.size, 8, largest);
  rules.require(data.channels == 1 || data.channels == 3, "data.channels", "1 or 3", data.channels);
  rules.below_one("data.validation", data.validation);
  rules.require(is_utf8(data.path), "data.path", "UTF-8 text", data.path);
  const Source* source = find_source(data.source);
  if (source != nullptr && source->origin == Origin::drawn) {
    rules.require(data.path.empty(), "data.path", "nothing, as " + data.source + " is built in",
                  data.path);
  }
}

void check_process(Rules& rules, const ProcessConfig& process) {
  rules.one_of("process.schedule", process.schedule, schedule_names());
  rules.range("process.steps", process.steps, 1, 1'000'000);
  rules.require(process.beta_start > 0 && process.beta_start < 1, "process.beta_start",
                "a number in (0, 1)", process.beta_start);
  rules.require(process.beta_end > 0 && process.beta_end < 1, "process.beta_end",
                "a number in (0, 1)", process.beta_end);
  // Written so that a NaN, reported above, is not reported again.
  rules.require(!(process.beta_end < process.beta_start), "process.beta_end",
                "at least process.beta_start = " + to_text(process.beta_start), process.beta_end);
  rules.positive("process.sigma_min", process.sigma_min);
  rules.positive("process.sigma_max", process.sigma_max);
  rules.require(!(process.sigma_max <= process.sigma_min), "process.sigma_max",
                "above process.sigma_min = " + to_text(process.sigma_min), process.sigma_max);
  rules.positive("process.rho", process.rho);
  rules.positive("process.sigma_data", process.sigma_data);
  rules.require(std::isfinite(process.log_sigma_mean), "process.log_sigma_mean", "a finite number",
                process.log_sigma_mean);
  rules.positive("process.log_sigma_std", process.log_sigma_std);
}

/// Every level's width must be made of whole groups. The up path normalises concatenations of two
/// levels' widths, or of one with `channels`, and these are then made of whole groups as well.
void check_widths(Rules& rules, const ModelConfig& model) {
  rules.require(model.channels % model.groups == 0, "model.channels",
                "a multiple of model.groups = " + to_text(model.groups), model.channels);
  for (std::size_t level = 0; level < model.multipliers.size(); ++level) {
    const std::int64_t width = model.channels * model.multipliers[level];
    const bool last = level + 1 == model.multipliers.size();
    const bool attends =
        std::find(model.attention_levels.begin(), model.attention_levels.end(),
                  static_cast<std::int64_t>(level)) != model.attention_levels.end();
    if (model.head_dim > 0 && (attends || (last && model.mid_attention))) {
      rules.require(
          width % model.head_dim == 0, "model.head_dim",
          "0 or a divisor of level " + std::to_string(level) + "'s width " + to_text(width),
          model.head_dim);
    }
  }
}

void check_levels(Rules& rules, const ModelConfig& model) {
  const auto levels = static_cast<std::int64_t>(model.multipliers.size());
  rules.require(levels >= 1 && levels <= kMaxLevels, "model.multipliers",
                "1 to " + to_text(kMaxLevels) + " levels", model.multipliers);
  rules.require(std::all_of(model.multipliers.begin(), model.multipliers.end(),
                            [](std::int64_t m) { return m >= 1 && m <= kMaxMultiplier; }),
                "model.multipliers", "whole numbers from 1 to " + to_text(kMaxMultiplier),
                model.multipliers);
  const auto& attention = model.attention_levels;
  const bool rising = std::adjacent_find(attention.begin(), attention.end(),
                                         std::greater_equal<>()) == attention.end();
  const bool inside = std::all_of(attention.begin(), attention.end(),
                                  [&](std::int64_t level) { return level >= 0 && level < levels; });
  rules.require(rising && inside, "model.attention_levels",
                "rising levels from 0 to " + to_text(levels - 1), attention);
}

void check_model(Rules& rules, const ModelConfig& model) {
  rules.range("model.image_channels", model.image_channels, 1, 1024);
  rules.range("model.channels", model.channels, 2, kMaxWidth);
  rules.require(model.channels % 2 == 0, "model.channels",
                "an even number, for the sine and cosine halves of the time embedding",
                model.channels);
  check_levels(rules, model);
  rules.range("model.blocks", model.blocks, 1, 64);
  rules.range("model.head_dim", model.head_dim, 0, kMaxWidth);
  rules.range("model.groups", model.groups, 1, kMaxWidth);
  const bool sane = model.groups >= 1 && model.channels >= 1 && model.channels <= kMaxWidth &&
                    std::all_of(model.multipliers.begin(), model.multipliers.end(),
                                [](std::int64_t m) { return m >= 1 && m <= kMaxMultiplier; });
  if (sane) check_widths(rules, model);
  rules.positive("model.norm_eps", model.norm_eps);
  rules.below_one("model.dropout", model.dropout);
  rules.one_of("model.time_conditioning", model.time_conditioning, time_conditioning_names());
  rules.one_of("model.time_order", model.time_order, time_order_names());
  const double half = static_cast<double>(model.channels / 2);
  rules.require(model.time_frequency_shift >= 0 && model.time_frequency_shift < half,
                "model.time_frequency_shift",
                "a number in [0, " + to_text(half) + "), half of model.channels",
                model.time_frequency_shift);
  rules.one_of("model.downsample", model.downsample, downsample_names());
  rules.one_of("model.resample", model.resample, resample_names());
  rules.one_of("model.up_attention", model.up_attention, up_attention_names());
  rules.require(model.residual_scale > 0 && model.residual_scale <= 1, "model.residual_scale",
                "a number in (0, 1]", model.residual_scale);
  rules.range("model.classes", model.classes, 0, 1'000'000);
  rules.one_of("model.conditioning", model.conditioning, conditioning_names());
  rules.one_of("model.prediction", model.prediction, prediction_names());
}

/// In the order of their checkpoints' files, each once.
void check_averages(Rules& rules, const std::vector<double>& widths) {
  const bool rising =
      std::adjacent_find(widths.begin(), widths.end(), std::greater_equal<>()) == widths.end();
  const bool inside = std::all_of(widths.begin(), widths.end(), [](double width) {
    return width >= kNarrowestAverage && width <= kWidestAverage;
  });
  rules.require(rising && inside && std::ssize(widths) <= kMostAverages,
                "training.ema_relative_widths",
                "at most " + to_text(kMostAverages) + " rising numbers from " +
                    to_text(kNarrowestAverage) + " to " + to_text(kWidestAverage),
                widths);
}

void check_training(Rules& rules, const TrainingConfig& training) {
  rules.range("training.steps", training.steps, 1, kMaxCount);
  rules.range("training.batch", training.batch, 1, 65536);
  rules.require(training.accumulate >= 1 && training.batch % training.accumulate == 0,
                "training.accumulate", "a divisor of training.batch = " + to_text(training.batch),
                training.accumulate);
  rules.positive("training.learning_rate", training.learning_rate);
  rules.at_least("training.warmup_steps", training.warmup_steps, 0);
  rules.range("training.ramp_images", training.ramp_images, 0, kMaxCount);
  rules.one_of("training.decay", training.decay, decay_names());
  rules.range("training.reference_steps", training.reference_steps, 1, kMaxCount);
  rules.below_one("training.beta1", training.beta1);
  rules.below_one("training.beta2", training.beta2);
  rules.positive("training.adam_eps", training.adam_eps);
  rules.not_negative("training.weight_decay", training.weight_decay);
  rules.not_negative("training.clip_norm", training.clip_norm);
  rules.below_one("training.ema_decay", training.ema_decay);
  check_averages(rules, training.ema_relative_widths);
  rules.share("training.class_dropout", training.class_dropout);
  rules.one_of("training.precision", training.precision, precision_names());
  rules.at_least("training.log_every", training.log_every, 1);
  rules.at_least("training.checkpoint_every", training.checkpoint_every, 0);
  rules.at_least("training.keep_checkpoints", training.keep_checkpoints, 0);
  rules.at_least("training.sample_every", training.sample_every, 0);
  rules.range("training.max_skipped", training.max_skipped, 0, 1'000'000);
  rules.range("training.max_rollbacks", training.max_rollbacks, 0, 1000);
}

void check_validation(Rules& rules, const RunConfig& config) {
  const TrainingConfig& training = config.training;
  rules.at_least("training.validate_every", training.validate_every, 0);
  rules.at_least("training.validation_images", training.validation_images, 0);
  rules.at_least("training.patience", training.patience, 0);
  if (training.validate_every > 0) {
    rules.require(config.data.validation > 0, "data.validation",
                  "above 0, as training.validate_every = " + to_text(training.validate_every),
                  config.data.validation);
  } else {
    rules.require(training.patience <= 0, "training.patience", "0 without training.validate_every",
                  training.patience);
  }
}

void check_sampling(Rules& rules, const RunConfig& config) {
  const SamplingConfig& sampling = config.sampling;
  rules.one_of("sampling.sampler", sampling.sampler, sampler_names());
  rules.require(sampling.steps >= 1 && sampling.steps <= config.process.steps, "sampling.steps",
                "a whole number from 1 to process.steps = " + to_text(config.process.steps),
                sampling.steps);
  rules.share("sampling.eta", sampling.eta);
  rules.one_of("sampling.variance", sampling.variance, variance_names());
  if (config.model.classes > 0) {
    rules.not_negative("sampling.guidance", sampling.guidance);
  } else {
    rules.require(sampling.guidance == 1, "sampling.guidance",
                  "1 for an unconditional model (model.classes = 0)", sampling.guidance);
  }
}

/// EDM's process and its network go together, and so do augmentations and a network that is told.
void check_edm(Rules& rules, const RunConfig& config) {
  const bool edm = config.process.schedule == "edm";
  rules.require((config.model.prediction == "edm") == edm, "model.prediction",
                edm ? "\"edm\" for process.schedule = \"edm\""
                    : "another than \"edm\", which needs process.schedule = \"edm\"",
                config.model.prediction);
  rules.share("data.augment", config.data.augment);
  if (!(config.data.augment > 0)) return;
  rules.require(config.model.augment_conditioning, "model.augment_conditioning",
                "true, as data.augment = " + to_text(config.data.augment) +
                    ": pictures drawn would be turned and stretched as well",
                config.model.augment_conditioning);
  rules.require(!config.data.flip, "data.flip",
                "false, as data.augment mirrors pictures and tells the network", config.data.flip);
}

/// The network must fit the pictures whose shape the source alone decides.
void check_fit(Rules& rules, const RunConfig& config) {
  const Source* source = find_source(config.data.source);
  if (source == nullptr || !source->pictures) return;
  const ModelConfig& model = config.model;
  const bool chosen = source->channels < 0;
  rules.require(model.image_channels == (chosen ? config.data.channels : source->channels),
                "model.image_channels",
                chosen ? "data.channels = " + to_text(config.data.channels)
                       : to_text(source->channels) + " for data.source = " + to_text(source->name),
                model.image_channels);
  if (source->classes >= 0) {
    const std::string labels = source->classes == 0 ? "0" : "0 or " + to_text(source->classes);
    rules.require(model.classes == 0 || model.classes == source->classes, "model.classes",
                  labels + " for data.source = " + to_text(source->name), model.classes);
  }
}

}  // namespace

std::vector<std::string> problems(const RunConfig& config) {
  Rules rules;
  check_data(rules, config.data);
  check_process(rules, config.process);
  check_model(rules, config.model);
  check_training(rules, config.training);
  check_validation(rules, config);
  check_sampling(rules, config);
  check_edm(rules, config);
  check_fit(rules, config);
  return rules.take();
}

namespace {

void require_none(const std::vector<std::string>& broken, const std::string& where) {
  if (broken.empty()) return;
  if (broken.size() == 1) throw ArgumentError("[" + where + "] " + broken.front());
  throw ArgumentError("[" + where + "] " + std::to_string(broken.size()) + " problems:\n  " +
                      join(broken, "\n  "));
}

}  // namespace

void require_valid(const RunConfig& config, const std::string& where) {
  require_none(problems(config), where);
}

void require_valid(const ModelConfig& config, const std::string& where) {
  Rules rules;
  check_model(rules, config);
  require_none(rules.take(), where);
}

}  // namespace tinta::config
