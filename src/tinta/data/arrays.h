#pragma once

#include <filesystem>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"

// Pictures in NumPy's files: `images` of a .npz, or the one array of a .npy, as uint8 of shape
// [N,H,W], [N,H,W,C] or [N,C,H,W], C = 1 or 3 (where both could be meant, the last is C); and
// `labels` of a .npz, whole numbers [N] from 0. Other arrays of a .npz are passed over. A path is
// one file, which is the training split, or a folder with train.npz or train.npy, and perhaps test
// likewise.

namespace tinta::data {

/// Whether a file or folder holds such arrays, by name.
bool holds_arrays(const std::filesystem::path& path);

std::vector<Split> array_splits(const std::filesystem::path& path);

/// The pictures of a split as they are, in the file's order, [N,C,H,W].
/// @throws DataError where there is no such split or the arrays are others
Dataset read_arrays(const std::filesystem::path& path, Split split);

/// Opens a split through packed() in cache_folder(), brought to data.size, or as it is where that
/// is 0, and to data.channels. @throws DataError where the arrays are others; as packed() does
Dataset open_arrays(const config::DataConfig& config, Split split, const Sinks& sinks,
                    const StopRequested& stop = {});

}  // namespace tinta::data
