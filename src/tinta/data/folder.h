#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"

// Folders of PNG, JPEG and WebP pictures of any sizes.
//
// - A file is a picture by its ending: .png, .jpg, .jpeg, .webp, in any case; others are passed
// over,
//   as is what begins with a dot. What it really is, its first bytes say. Links are followed.
// - With labels.csv in the folder, its lines "file,label" say which pictures there are and what
// they
//   show. Labels are texts, or whole numbers, which are ordered as such. A first line "file,label"
//   is a heading; a field with a comma is in double quotes.
// - Where all pictures lie in subfolders, each subfolder is a class, with all below it. One alone
// is
//   no class.
// - Pictures beside the subfolders, or no subfolders: all pictures, those below too, without
// classes.
// - Where there is a subfolder "train", and no other but test, val, valid or validation, these are
//   the splits, and each is read as above.
//
// A picture is turned as its EXIF orientation says, cut to its largest centred square and scaled
// with antialiasing; alpha is blended on white (data/fit.h).

namespace tinta::data {

/// What a folder holds of one split.
struct FolderListing {
  std::filesystem::path root;
  std::vector<std::string> files{};        ///< below root, in the order of their names
  std::vector<std::int64_t> labels{};      ///< one each; empty without classes
  std::vector<std::string> class_names{};  ///< at least two, or empty
  std::vector<std::string> passed_over{};  ///< other files
};

/// Whether there is a picture anywhere in a folder.
bool holds_pictures(const std::filesystem::path& path);

std::vector<Split> folder_splits(const std::filesystem::path& path);

/// @throws DataError where there is no such split, labels.csv is not as it should be (line named),
///         or the test split has a class that the training split has not
FolderListing list_folder(const std::filesystem::path& path, Split split);

/// Opens a split through packed() in cache_folder(). @throws as list_folder(), packed() do
Dataset open_folder(const config::DataConfig& config, Split split, const Sinks& sinks,
                    const StopRequested& stop = {});

}  // namespace tinta::data
