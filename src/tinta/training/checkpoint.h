#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tinta/training/state.h"

// A checkpoint is a folder checkpoints/step-00010000 of a run:
//   model.safetensors      weights in float32
//   ema.safetensors        their moving average
//   ema-0.05.safetensors   the average of relative width 0.05, where it is tracked; as many as are
//   optimizer.safetensors  AdamW's moments, "m.NAME" and "v.NAME"
//   state.json             step, pictures seen, the running loss, skipped steps
//   clock.json             time spent: the one file that two equal runs do not share
//   manifest.json          size and SHA-256 of each of these
// It exists whole or not at all: it is written to a temporary folder, every write checked, flushed,
// the manifest last, renamed, flushed, read back.

namespace tinta::training {

/// A checkpoint on disk, not yet read.
struct CheckpointRef {
  std::filesystem::path folder;
  std::uint64_t step = 0;
};

/// Folders that bear a checkpoint's name, newest first; nothing is said of their content.
std::vector<CheckpointRef> list_checkpoints(const std::filesystem::path& run);

/// What is wrong with a checkpoint, or nothing: the manifest is read and every file's size and
/// SHA-256 compared with it.
std::optional<std::string> fault(const CheckpointRef& checkpoint);

/// The newest checkpoint without a fault. Each faulty one passed over is reported to `warn`, with
/// what is wrong and which one is used instead.
std::optional<CheckpointRef> newest_valid(const std::filesystem::path& run,
                                          const std::function<void(const std::string&)>& warn);

/// The checkpoint of that step. @throws ArgumentError when there is none (those that exist are
/// named), DataError when it has a fault
CheckpointRef checkpoint_at(const std::filesystem::path& run, std::uint64_t step);

/// Writes a checkpoint and reads it back, then prunes (keep 0: not at all) and removes left-over
/// temporary folders.
/// @throws SystemError when a write fails: what existed before is untouched
CheckpointRef save_checkpoint(const std::filesystem::path& run, const TrainingState& state,
                              std::int64_t keep);

/// Removes the oldest valid checkpoints beyond the `keep` newest (0: none), but for one that is
/// kept beside them.
void prune_checkpoints(const std::filesystem::path& run, std::int64_t keep,
                       std::optional<std::uint64_t> also_kept = {});

/// Reads a whole state. @throws DataError when a file is not what the manifest says
TrainingState load_checkpoint(const CheckpointRef& checkpoint);

/// Reads alone what a checkpoint remembers of skipped steps. @throws DataError
Skips load_skips(const CheckpointRef& checkpoint);

enum class WeightsKind { ema, raw };
/// Reads weights alone, for sampling. @throws DataError
NamedTensors load_weights(const CheckpointRef& checkpoint, WeightsKind kind);

/// Short name of a checkpoint's content: the first 16 digits of its manifest's weights' SHA-256.
std::string content_hash(const CheckpointRef& checkpoint, WeightsKind kind);

}  // namespace tinta::training
