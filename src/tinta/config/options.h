#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What each command was asked to do, without torch: the command line fills these in, the engine's
// commands (experiment/commands.h) take them. An absent optional means "as the run's config says".

namespace tinta::config {

/// Where the engine computes; automatic is CUDA where there is one, else the CPU.
enum class Device { automatic, cpu, cuda };

/// Which of a checkpoint's weights to use: the moving average or the last step's own.
enum class Weights { ema, raw };

/// --device, --threads; TINTA_DEVICE, TINTA_THREADS.
struct Machine {
  Device device = Device::automatic;
  std::int64_t gpu = 0;      ///< which one, where there are several
  std::int64_t threads = 0;  ///< CPU threads; 0: as many as there are cores

  friend bool operator==(const Machine&, const Machine&) = default;
};

/// --dist-timeout; TINTA_DIST_TIMEOUT.
struct Processes {
  std::int64_t timeout = 120;  ///< seconds to meet, and without a word from one that is lost

  friend bool operator==(const Processes&, const Processes&) = default;
};

/// tinta train
struct TrainOptions {
  std::string preset_or_file = {};  ///< "": picked by the data, or read from `out` on resume
  std::string data = {};            ///< folder or file of the pictures; "": as the config says
  std::optional<std::int64_t> image_size = {};  ///< data.size, where the source resizes
  std::string out = {};  ///< the run folder; "": runs/<name of the preset or file>
  std::vector<std::string> overrides =
      {};                      ///< "key=value" in the order to apply: TINTA_PRECISION and
                               ///< TINTA_SEED, then --set, then --precision and --seed
  bool resume = false;         ///< go on from the newest valid checkpoint in `out`
  std::string init_from = {};  ///< run folder whose weights to start from; "": fresh ones
  std::optional<std::int64_t> steps =
      {};  ///< budgets, at least 1: the first one reached ends the run.
  std::optional<std::int64_t> images =
      {};                              ///< Where images or minutes are given and steps are not,
  std::optional<double> minutes = {};  ///< training.steps of the config is no limit
  std::optional<std::int64_t> profile = {};  ///< steps to trace, at least 1; absent: none
  bool force = false;                        ///< start over where `out` holds a run
  bool json = false;                         ///< the summary at the end as JSON
  Machine machine = {};
  Processes processes = {};

  friend bool operator==(const TrainOptions&, const TrainOptions&) = default;
};

/// tinta verify-resume
struct VerifyResumeOptions {
  std::string preset_or_file = {};  ///< what to train
  std::string data = {};            ///< folder or file of the pictures; "": as the config says
  std::string out = {};             ///< folder for the runs, kept; "": a temporary one, removed
  std::vector<std::string> overrides = {};  ///< as of TrainOptions; those of training.log_every and
                                            ///< checkpoint_every replace the command's own
  std::int64_t steps = 100;                 ///< of each run, at least 2
  std::int64_t kills = 10;                  ///< at least 1
  std::uint64_t instants = 0;               ///< seed of the instants of the kills
  bool json = false;
  Machine machine = {};

  friend bool operator==(const VerifyResumeOptions&, const VerifyResumeOptions&) = default;
};

/// tinta sample
struct SampleOptions {
  std::string run = {};                      ///< the run folder
  std::int64_t count = 64;                   ///< pictures, at least 1; not used with per_class
  std::int64_t per_class = 0;                ///< pictures of each class; 0: `count` in all
  std::vector<std::int64_t> classes = {};    ///< labels to ask for, in turn; empty: all of them
  std::optional<std::string> sampler = {};   ///< ddpm | ddim
  std::optional<std::int64_t> steps = {};    ///< at least 1
  std::optional<double> guidance = {};       ///< classifier-free scale, finite, at least 0
  std::optional<double> eta = {};            ///< ddim, 0 to 1
  std::optional<std::string> variance = {};  ///< ddpm: posterior | beta
  std::uint64_t seed = 0;
  Weights weights = Weights::ema;
  std::optional<double> ema =
      {};  ///< relative width of an average to rebuild; not with raw weights
  std::optional<std::int64_t> checkpoint = {};  ///< its step; absent: the newest valid one
  bool best = false;        ///< the checkpoint of the best validation, instead of one by its step
  std::int64_t batch = 0;   ///< pictures at a time; 0: the engine's choice
  std::string output = {};  ///< the grid, PNG; "": a default name in <run>/samples
  std::string npz = {};     ///< raw arrays; "": none
  bool force = false;       ///< replace outputs that exist
  bool json = false;
  Machine machine = {};
  Processes processes = {};

  friend bool operator==(const SampleOptions&, const SampleOptions&) = default;
};

/// tinta denoise
struct DenoiseOptions {
  std::string run = {};                               ///< the run folder
  std::string data = {};                              ///< folder of the pictures; "": the run's own
  std::string split = "test";                         ///< train | validation | test
  std::vector<std::int64_t> t = {50, 100, 200, 400};  ///< noise levels, steps of the run's process
  std::int64_t limit = 0;           ///< pictures of the split, from its start; 0: all
  std::int64_t chain_images = 256;  ///< pictures that the reverse chain restores; 0: none
  std::int64_t batch = 0;           ///< pictures at a time; 0: the engine's choice
  std::uint64_t seed = 0;
  Weights weights = Weights::ema;
  std::optional<double> ema =
      {};  ///< relative width of an average to rebuild; not with raw weights
  std::optional<std::int64_t> checkpoint = {};  ///< its step; absent: the newest valid one
  bool best = false;        ///< the checkpoint of the best validation, instead of one by its step
  std::string output = {};  ///< the picture, PNG; "": a default name in the run folder
  std::string npz = {};     ///< raw arrays; "": none
  bool force = false;       ///< replace outputs that exist
  bool json = false;
  Machine machine = {};
  Processes processes = {};

  friend bool operator==(const DenoiseOptions&, const DenoiseOptions&) = default;
};

/// tinta inpaint
struct InpaintOptions {
  std::string run = {};                          ///< the run folder
  std::string image = {};                        ///< the picture: PNG, JPEG or WebP
  std::string mask = {};                         ///< as large as the picture; white is to be filled
  std::int64_t count = 8;                        ///< fillings, at least 1
  std::optional<std::int64_t> label = {};        ///< class to ask for; absent: none
  std::string method = "repaint";                ///< repaint | replace
  std::optional<std::int64_t> resamplings = {};  ///< repaint, at least 1; absent: 10
  std::optional<std::int64_t> jump = {};     ///< repaint, at least 1; absent: a 25th of the steps
  std::string sampler = "ddpm";              ///< ddpm | ddim, of the reverse steps
  std::optional<std::int64_t> steps = {};    ///< at least 1
  std::optional<double> guidance = {};       ///< classifier-free scale, finite, at least 0
  std::optional<double> eta = {};            ///< ddim, 0 to 1
  std::optional<std::string> variance = {};  ///< ddpm: posterior | beta
  std::uint64_t seed = 0;
  Weights weights = Weights::ema;
  std::optional<double> ema =
      {};  ///< relative width of an average to rebuild; not with raw weights
  std::optional<std::int64_t> checkpoint = {};  ///< its step; absent: the newest valid one
  bool best = false;        ///< the checkpoint of the best validation, instead of one by its step
  std::int64_t batch = 0;   ///< fillings at a time; 0: the engine's choice
  std::string output = {};  ///< PNG; "": a default name in <run>/samples
  std::string npz = {};     ///< raw arrays; "": none
  bool force = false;       ///< replace outputs that exist
  bool json = false;
  Machine machine = {};

  friend bool operator==(const InpaintOptions&, const InpaintOptions&) = default;
};

/// tinta eval
struct EvalOptions {
  SampleOptions sample = {};  ///< what to draw and measure; no `output`, `npz`, `force`
  std::string from = {};      ///< arrays of pictures and labels to measure instead; "": draw some
  std::vector<std::string> metrics = {};  ///< of metric_names(), at least one
  std::string classifier = {};            ///< recognised: file of a trained classifier

  friend bool operator==(const EvalOptions&, const EvalOptions&) = default;
};

/// tinta classifier train
struct ClassifierTrainOptions {
  std::optional<std::int64_t> image_size = {};  ///< data.size, where the source resizes
  std::string data = {};     ///< folder or file of the pictures, or the name of built-in data
  std::string out = {};      ///< the file; "": classifier-<source>.safetensors
  std::int64_t epochs = 10;  ///< over the training pictures, at least 1
  std::optional<double> minutes = {};  ///< ends training sooner
  std::int64_t features = 32;          ///< of the first layer, a multiple of 8
  std::string precision = "auto";      ///< auto | bf16 | fp32
  std::uint64_t seed = 0;
  bool force = false;  ///< replace an output that exists
  bool json = false;
  Machine machine = {};

  friend bool operator==(const ClassifierTrainOptions&, const ClassifierTrainOptions&) = default;
};

/// tinta data list
struct DataListOptions {
  bool json = false;

  friend bool operator==(const DataListOptions&, const DataListOptions&) = default;
};

/// tinta data info
struct DataInfoOptions {
  std::string path_or_name = {};  ///< a folder of pictures, or the name of built-in data
  bool json = false;

  friend bool operator==(const DataInfoOptions&, const DataInfoOptions&) = default;
};

/// tinta data doctor
struct DataDoctorOptions {
  std::string path = {};  ///< a folder or file of pictures
  bool json = false;

  friend bool operator==(const DataDoctorOptions&, const DataDoctorOptions&) = default;
};

/// tinta data get
struct DataGetOptions {
  std::string name = {};  ///< one of downloadable_names()
  std::string out = {};   ///< folder for the files; "": the set's name
  /// URLs of folders that hold the files, asked in turn; none: the known ones
  std::vector<std::string> mirrors = {};
  bool json = false;

  friend bool operator==(const DataGetOptions&, const DataGetOptions&) = default;
};

/// tinta model info
struct ModelInfoOptions {
  std::string preset_or_file = {};          ///< a preset, a .toml file or a run folder
  std::vector<std::string> overrides = {};  ///< "key=value" in the order to apply
  bool json = false;

  friend bool operator==(const ModelInfoOptions&, const ModelInfoOptions&) = default;
};

/// tinta config check
struct ConfigCheckOptions {
  std::string preset_or_file = {};
  std::vector<std::string> overrides = {};  ///< "key=value" in the order to apply
  bool print = false;                       ///< print the complete, resolved TOML
  bool json = false;

  friend bool operator==(const ConfigCheckOptions&, const ConfigCheckOptions&) = default;
};

/// tinta lab NAME, tinta lab all
struct LabOptions {
  std::string row = {};                      ///< a row's name, or "all"
  std::string image = {};                    ///< a picture instead of the built-in one; "": none
  std::optional<std::int64_t> steps = {};    ///< what the row counts (config/lab_rows.h)
  std::optional<std::int64_t> repeats = {};  ///< how often a row that trains does so
  std::string density = {};                  ///< of rows in the plane; "": the row's own
  std::vector<std::string> overrides = {};   ///< "process.beta_end=0.03" in the order to apply
  std::string run = {};                      ///< a trained run for the rows that read one
  std::string data = {};                     ///< folder of that run's pictures; "": its own
  std::string classifier = {};               ///< file of a trained classifier; "": none
  std::uint64_t seed = 0;
  bool quick = false;           ///< smaller samples and nets, with the tolerances that they need
  std::string out = "figures";  ///< folder for the outputs
  bool force = false;           ///< replace outputs that exist
  bool json = false;
  Machine machine = {};

  friend bool operator==(const LabOptions&, const LabOptions&) = default;
};

/// tinta lab list
struct LabListOptions {
  bool json = false;

  friend bool operator==(const LabListOptions&, const LabListOptions&) = default;
};

/// tinta lab report
struct LabReportOptions {
  std::string from = "figures";  ///< folder that tinta lab wrote
  std::string out = {};          ///< .pdf or .html; "": report.pdf in `from`
  bool force = false;            ///< replace an output that exists

  friend bool operator==(const LabReportOptions&, const LabReportOptions&) = default;
};

/// tinta bench
struct BenchOptions {
  std::string precision = "auto";      ///< auto (fp32, and bf16 where it is fast) | bf16 |
                                       ///< fp16 (on a GPU) | fp32
  std::optional<double> seconds = {};  ///< to measure each rate for, above 0; absent: 1
  bool json = false;
  Machine machine = {};

  friend bool operator==(const BenchOptions&, const BenchOptions&) = default;
};

/// What a benchmark of whole steps steps through.
enum class BenchedStep { training, sampling };

/// tinta bench train, tinta bench sample
struct BenchStepsOptions {
  BenchedStep what = BenchedStep::training;
  std::string preset_or_file = {};
  std::vector<std::string> overrides = {};  ///< as of TrainOptions
  std::optional<std::int64_t> batch = {};  ///< pictures, at least 1; absent: as train, as sample do
  std::int64_t steps = 10;                 ///< to measure, at least 1
  bool json = false;
  Machine machine = {};

  friend bool operator==(const BenchStepsOptions&, const BenchStepsOptions&) = default;
};

/// tinta runs
struct RunsOptions {
  std::string folder = {};  ///< where to look for run folders; "": runs, if there is one
  bool json = false;

  friend bool operator==(const RunsOptions&, const RunsOptions&) = default;
};

/// tinta log
struct LogOptions {
  std::string run = {};  ///< the run folder
  bool follow = false;   ///< go on until the run ends
  bool json = false;     ///< the lines as they are written

  friend bool operator==(const LogOptions&, const LogOptions&) = default;
};

/// Which axes of a plot are logarithmic.
enum class LogAxes { none, loss, step, both };

/// tinta plot
struct PlotOptions {
  std::vector<std::string> runs = {};  ///< run folders, at least one
  std::optional<double> smooth = {};   ///< share of a curve to average over, 0 to 1; absent: 0.05
  LogAxes log_axes = LogAxes::none;
  std::string output = "loss.png";  ///< .png, .svg or .pdf
  bool force = false;               ///< replace an output that exists
  bool json = false;

  friend bool operator==(const PlotOptions&, const PlotOptions&) = default;
};

/// tinta doctor
struct DoctorOptions {
  std::string preset_or_file = {};  ///< "": the machine alone
  std::string data = {};            ///< folder or file of the pictures; "": as the config says
  std::vector<std::string> overrides = {};   ///< as of TrainOptions
  std::optional<std::int64_t> overfit = {};  ///< steps on one batch, at least 1; absent: none
  bool json = false;
  Machine machine = {};

  friend bool operator==(const DoctorOptions&, const DoctorOptions&) = default;
};

/// tinta --version
struct VersionOptions {
  bool verbose = false;  ///< with what the engine is built on

  friend bool operator==(const VersionOptions&, const VersionOptions&) = default;
};

}  // namespace tinta::config
