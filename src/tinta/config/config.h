#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What a run is, without torch: the front program parses, validates and prints these. Every struct
// is an aggregate with defaults. fields() names each member once, and reading, writing, setting by
// key, unknown-key suggestions and comparing on resume all go through it.

namespace tinta::config {

struct DataConfig {
  std::string source = "glyphs";  ///< glyphs | condor | mnist | cifar10 | folder...; see names.h
  std::string path{};             ///< folder or file of the pictures; "" for built-in data
  std::int64_t count = 20000;     ///< built-in data: pictures in the training split
  std::int64_t size = 28;     ///< side of a picture, pixels: of built-in data; of a folder's and
                              ///< an array's, which are brought to it (array, 0: as they are)
  std::int64_t channels = 3;  ///< folders and arrays: 1 or 3, which pictures are brought to
  std::uint64_t seed = 0;     ///< built-in data: seed of the drawing
  double validation = 0;      ///< share of the training pictures that is held out, by content
  bool flip = false;          ///< training: mirrors each picture, left to right, half the time
  bool balance = false;       ///< training: draws each class equally often
  double augment = 0;  ///< training: probability of each of EDM's augmentations; see data/augment.h

  template <class F>
  void fields(F&& f) {
    f("source", source), f("path", path), f("count", count), f("size", size),
        f("channels", channels), f("seed", seed), f("validation", validation), f("flip", flip),
        f("balance", balance), f("augment", augment);
  }

  friend bool operator==(const DataConfig&, const DataConfig&) = default;
};

struct ProcessConfig {
  std::string schedule = "linear";  ///< linear | cosine | edm
  std::int64_t steps = 1000;        ///< T
  double beta_start = 1e-4;         ///< linear: beta_1; others do not use it
  double beta_end = 0.02;           ///< linear: beta_T; others do not use it
  // What follows is of edm alone; see process/edm.h.
  double sigma_min = 0.002;      ///< noise of step 1, in units of pixels in [-1, 1]
  double sigma_max = 80;         ///< noise of step T
  double rho = 7;                ///< bends the spacing of the steps: 1 even, more: finer below
  double sigma_data = 0.5;       ///< standard deviation of the pictures
  double log_sigma_mean = -1.2;  ///< training: ln(sigma) is normal with this mean
  double log_sigma_std = 1.2;    ///< training: and this standard deviation

  template <class F>
  void fields(F&& f) {
    f("schedule", schedule), f("steps", steps), f("beta_start", beta_start),
        f("beta_end", beta_end), f("sigma_min", sigma_min), f("sigma_max", sigma_max),
        f("rho", rho), f("sigma_data", sigma_data), f("log_sigma_mean", log_sigma_mean),
        f("log_sigma_std", log_sigma_std);
  }

  friend bool operator==(const ProcessConfig&, const ProcessConfig&) = default;
};

struct ModelConfig {
  std::int64_t image_channels = 1;  ///< C of the pictures
  std::int64_t channels = 32;       ///< width of the first level
  std::vector<std::int64_t> multipliers = {1, 2,
                                           2};  ///< width of level i = channels * multipliers[i]
  std::int64_t blocks = 1;  ///< residual blocks per level, going down; one more up
  std::vector<std::int64_t> attention_levels = {2};  ///< levels with self-attention, 0 the finest
  bool mid_attention = true;                         ///< self-attention in the middle
  std::int64_t head_dim = 0;                         ///< channels per attention head; 0: one head
  std::int64_t groups = 32;                          ///< groups of every group norm
  double norm_eps = 1e-6;                            ///< epsilon of every group norm
  double dropout = 0;                                ///< probability, inside residual blocks
  std::string time_conditioning = "shift";           ///< shift | scale-shift
  std::string time_order = "sin-cos";  ///< halves of the sinusoidal embedding: sin-cos | cos-sin
  double time_frequency_shift = 1;     ///< diffusers' downscale_freq_shift
  std::string downsample =
      "asymmetric";  ///< padding of the stride-2 convolution: asymmetric | symmetric
  std::string resample = "convolution";  ///< between levels: convolution | residual, a residual
                                         ///< block that averages 2 x 2 or repeats
  std::string up_attention = "every";    ///< which blocks of an attention level going up: every |
                                         ///< last
  double residual_scale = 1;  ///< of each sum of a block and what it is added to; EDM sqrt(1/2)
  std::int64_t classes = 0;   ///< 0: unconditional; else labels 0..classes-1 and a null class
  std::string conditioning = "embedding";  ///< where classes join the time: embedding, its hidden
                                           ///< vector | features, its sinusoidal features
  bool augment_conditioning = false;       ///< the features are told of data.augment's draws too
  std::string prediction = "eps";          ///< eps | x0 | v | edm
  bool recompute = false;  ///< training: residual blocks keep their inputs alone and compute the
                           ///< rest again in the backward pass: less memory, more time

  template <class F>
  void fields(F&& f) {
    f("image_channels", image_channels), f("channels", channels), f("multipliers", multipliers),
        f("blocks", blocks), f("attention_levels", attention_levels),
        f("mid_attention", mid_attention), f("head_dim", head_dim), f("groups", groups),
        f("norm_eps", norm_eps), f("dropout", dropout), f("time_conditioning", time_conditioning),
        f("time_order", time_order), f("time_frequency_shift", time_frequency_shift),
        f("downsample", downsample), f("resample", resample), f("up_attention", up_attention),
        f("residual_scale", residual_scale), f("classes", classes), f("conditioning", conditioning),
        f("augment_conditioning", augment_conditioning), f("prediction", prediction),
        f("recompute", recompute);
  }

  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

/// Widths of averages that training can track and `tinta sample --ema` can ask for: shares of the
/// run's length (training/power_ema.h).
inline constexpr double kNarrowestAverage = 0.001;
inline constexpr double kWidestAverage = 0.28;

struct TrainingConfig {
  std::int64_t steps = 10000;   ///< optimiser steps of the whole run
  std::int64_t batch = 128;     ///< pictures per step, over all processes
  std::int64_t accumulate = 1;  ///< parts that a batch is done in, one after another: less memory
  double learning_rate = 2e-4;
  std::int64_t warmup_steps = 500;  ///< learning rate rises linearly over these
  std::int64_t ramp_images = 0;     ///< likewise, counted in pictures; 0: no such ramp
  std::string decay = "constant";   ///< after the warm-up: constant | cosine (to zero at the end of
                                    ///< the budget) | inverse-sqrt (from reference_steps on)
  std::int64_t reference_steps = 10000;  ///< inverse-sqrt: steps at the whole rate
  double beta1 = 0.9;                    ///< AdamW
  double beta2 = 0.999;                  ///< AdamW
  double adam_eps = 1e-8;                ///< AdamW
  double weight_decay = 0;               ///< AdamW, decoupled
  double clip_norm = 1;                  ///< gradient norm; 0: no clipping
  double ema_decay = 0.9999;             ///< limit of the decay; see training/optimizer.h
  std::vector<double> ema_relative_widths =
      {};  ///< further averages, by their width as a share of the run; see training/power_ema.h
  double class_dropout = 0.1;      ///< share of labels replaced by the null class
  std::string precision = "auto";  ///< auto | bf16 | fp16 (on a GPU) | fp32
  std::uint64_t seed = 0;
  std::int64_t log_every = 50;            ///< steps
  std::int64_t checkpoint_every = 1000;   ///< steps; 0: only at the end
  std::int64_t keep_checkpoints = 3;      ///< newest ones kept; 0: all
  std::int64_t sample_every = 1000;       ///< steps between sample grids; 0: none
  std::int64_t validate_every = 0;        ///< steps between losses on held-out pictures; 0: none
  std::int64_t validation_images = 1000;  ///< held-out pictures that it takes; 0: all
  std::int64_t patience = 0;     ///< validations without a better one that end a run; 0: any number
  std::int64_t max_skipped = 5;  ///< steps in a row that may be skipped because loss or gradient
                                 ///< is not finite; one more rolls the run back
  std::int64_t max_rollbacks = 3;  ///< rollbacks that one bad place may cost; one more ends the run

  template <class F>
  void fields(F&& f) {
    f("steps", steps), f("batch", batch), f("accumulate", accumulate),
        f("learning_rate", learning_rate), f("warmup_steps", warmup_steps),
        f("ramp_images", ramp_images), f("decay", decay), f("reference_steps", reference_steps),
        f("beta1", beta1), f("beta2", beta2), f("adam_eps", adam_eps),
        f("weight_decay", weight_decay), f("clip_norm", clip_norm), f("ema_decay", ema_decay),
        f("ema_relative_widths", ema_relative_widths), f("class_dropout", class_dropout),
        f("precision", precision), f("seed", seed), f("log_every", log_every),
        f("checkpoint_every", checkpoint_every), f("keep_checkpoints", keep_checkpoints),
        f("sample_every", sample_every), f("validate_every", validate_every),
        f("validation_images", validation_images), f("patience", patience),
        f("max_skipped", max_skipped), f("max_rollbacks", max_rollbacks);
  }

  friend bool operator==(const TrainingConfig&, const TrainingConfig&) = default;
};

struct SamplingConfig {
  std::string sampler = "ddim";        ///< ddpm | ddim | heun
  std::int64_t steps = 50;             ///< of the sampler, for each picture; see evaluations()
  double eta = 0;                      ///< ddim: 0 deterministic, 1 ancestral
  std::string variance = "posterior";  ///< ddpm: posterior (beta-tilde_t) | beta (beta_t)
  double guidance = 1;                 ///< classifier-free scale: 1 plain, 0 the null class alone
  bool clip_x0 = true;                 ///< clamp the x0 estimate to [-1, 1] at each step

  template <class F>
  void fields(F&& f) {
    f("sampler", sampler), f("steps", steps), f("eta", eta), f("variance", variance),
        f("guidance", guidance), f("clip_x0", clip_x0);
  }

  friend bool operator==(const SamplingConfig&, const SamplingConfig&) = default;
};

/// Evaluations of the network for one picture; both halves of guidance are one.
inline std::int64_t evaluations(const SamplingConfig& sampling) {
  return sampling.sampler == "heun" ? 2 * sampling.steps - 1 : sampling.steps;
}

/// A whole run: config.toml of a run folder, and what a preset holds.
struct RunConfig {
  DataConfig data;
  ProcessConfig process;
  ModelConfig model;
  TrainingConfig training;
  SamplingConfig sampling;

  /// f(name of the table, its struct)
  template <class F>
  void sections(F&& f) {
    f("data", data), f("process", process), f("model", model), f("training", training),
        f("sampling", sampling);
  }

  friend bool operator==(const RunConfig&, const RunConfig&) = default;
};

/// Every broken rule at once, each as "key: expected ..., got ...", empty when the config can run.
std::vector<std::string> problems(const RunConfig& config);

/// @throws ArgumentError with all problems, one a line
void require_valid(const RunConfig& config, const std::string& where);
/// The network's own rules alone.
void require_valid(const ModelConfig& config, const std::string& where);

/// Reads TOML 1.0 of at most kMaxTomlBytes. Keys that are absent keep their defaults. Seeds from
/// 2^63 on, which TOML's integers cannot hold, are decimal text: seed = "18446744073709551615".
/// @param where named in errors: the file's path or the preset's name
/// @throws ArgumentError on bad TOML (line, column), and, all at once with their lines, on unknown
///         keys (nearest one suggested) and values of the wrong type (expected type, what came)
RunConfig parse(std::string_view toml, const std::string& where);
inline constexpr std::size_t kMaxTomlBytes = 65536;

/// Complete TOML, every key written, in fields() order; parse(to_toml(c)) == c bit for bit. Bytes
/// that are not UTF-8, which TOML cannot hold and problems() refuses, become U+FFFD.
std::string to_toml(const RunConfig& config);

/// Sets one dotted key from text, "training.batch=64". Lists are "[1, 2, 2]" or "1,2,2".
/// @throws ArgumentError on a text without "=", and as parse does
void set(RunConfig& config, std::string_view assignment);

/// Keys whose values differ, with both values, in fields() order.
struct Difference {
  std::string key;   ///< "training.batch"
  std::string left;  ///< TOML text
  std::string right;
};
std::vector<Difference> differences(const RunConfig& left, const RunConfig& right);

/// Whether a run may be resumed when this key differs: lengths, intervals, sampling, where data
/// lies.
bool may_change_on_resume(std::string_view key);

/// Presets that are built into the program, by name; the .toml files of presets/.
std::vector<std::string> preset_names();
/// @throws ArgumentError, nearest name suggested
RunConfig preset(std::string_view name);
/// A preset's one-line description: the first comment line of its file.
std::string preset_summary(std::string_view name);
/// The text of a preset's file. @throws ArgumentError
std::string_view preset_toml(std::string_view name);
/// A preset's name, the path of a .toml file, or a run folder (its config.toml). A preset's name
/// wins over a file or folder called the same; "./mnist" names the folder.
/// @throws ArgumentError when there is no such thing (nearest preset suggested) or as parse() does,
///         SystemError when the file cannot be read
RunConfig preset_or_file(const std::string& name_or_path);

/// The config that a command works with: preset_or_file(), then set() of each override in order.
/// Not checked by problems(). @throws ArgumentError, SystemError
RunConfig resolved(const std::string& name_or_path, std::span<const std::string> overrides);

}  // namespace tinta::config
