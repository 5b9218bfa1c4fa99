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
  std::int64_t threads = 0;  ///< CPU threads; 0: as many as there are cores

  friend bool operator==(const Machine&, const Machine&) = default;
};

/// tinta train
struct TrainOptions {
  std::string preset_or_file = {};  ///< "": picked by the data, or read from `out` on resume
  std::string data = {};            ///< folder of the pictures; "": as the config says
  std::string out = {};             ///< the run folder; "": runs/<name of the preset or file>
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
  bool force = false;                  ///< start over where `out` holds a run
  bool json = false;                   ///< the summary at the end as JSON
  Machine machine = {};

  friend bool operator==(const TrainOptions&, const TrainOptions&) = default;
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
  std::optional<std::int64_t> checkpoint = {};  ///< its step; absent: the newest valid one
  std::int64_t batch = 0;                       ///< pictures at a time; 0: the engine's choice
  std::string output = {};  ///< the grid, PNG; "": a default name in <run>/samples
  std::string npz = {};     ///< raw arrays; "": none
  bool force = false;       ///< replace outputs that exist
  bool json = false;
  Machine machine = {};

  friend bool operator==(const SampleOptions&, const SampleOptions&) = default;
};

/// tinta denoise
struct DenoiseOptions {
  std::string run = {};                               ///< the run folder
  std::string data = {};                              ///< folder of the pictures; "": the run's own
  std::string split = "test";                         ///< train | test
  std::vector<std::int64_t> t = {50, 100, 200, 400};  ///< noise levels, steps of the run's process
  std::int64_t limit = 0;           ///< pictures of the split, from its start; 0: all
  std::int64_t chain_images = 256;  ///< pictures that the reverse chain restores; 0: none
  std::int64_t batch = 0;           ///< pictures at a time; 0: the engine's choice
  std::uint64_t seed = 0;
  Weights weights = Weights::ema;
  std::optional<std::int64_t> checkpoint = {};  ///< its step; absent: the newest valid one
  std::string output = {};  ///< the picture, PNG; "": a default name in the run folder
  std::string npz = {};     ///< raw arrays; "": none
  bool force = false;       ///< replace outputs that exist
  bool json = false;
  Machine machine = {};

  friend bool operator==(const DenoiseOptions&, const DenoiseOptions&) = default;
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

/// tinta --version
struct VersionOptions {
  bool verbose = false;  ///< with what the engine is built on

  friend bool operator==(const VersionOptions&, const VersionOptions&) = default;
};

}  // namespace tinta::config
