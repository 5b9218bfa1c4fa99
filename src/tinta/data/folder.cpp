#include "tinta/data/folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/data/content_hash.h"
#include "tinta/data/fit.h"
#include "tinta/data/label_table.h"
#include "tinta/data/pack.h"
#include "tinta/io/image.h"

namespace tinta::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTable = "labels.csv";
constexpr std::array<const char*, 4> kTestNames = {"test", "val", "valid", "validation"};

bool hidden(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "__MACOSX";
}

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

/// Whether a folder is a link to one that it lies in: who follows it comes by here again for ever.
bool leads_back(const fs::path& folder) {
  std::error_code failed;
  if (!fs::is_symlink(folder, failed)) return false;
  for (fs::path above = folder.parent_path(); !above.empty(); above = above.parent_path()) {
    if (fs::equivalent(folder, above, failed)) return true;
    if (above == above.parent_path()) return false;
  }
  return false;
}

/// Calls `visit` with each file below a folder that is not hidden, until it says false. Links are
/// followed.
template <class Visit>
void walk(const fs::path& root, const Visit& visit) {
  std::error_code failed;
  fs::recursive_directory_iterator entries(root,
                                           fs::directory_options::skip_permission_denied |
                                               fs::directory_options::follow_directory_symlink,
                                           failed);
  for (const fs::recursive_directory_iterator end; !failed && entries != end;
       entries.increment(failed)) {
    std::error_code dangling;
    const bool folder = entries->is_directory(dangling);
    if (hidden(entries->path()) || (folder && leads_back(entries->path()))) {
      if (folder) entries.disable_recursion_pending();
    } else if (!folder && !visit(entries->path())) {
      return;
    }
  }
  if (failed) throw SystemError("[" + root.string() + "] cannot list: " + failed.message());
}

/// The part of a path above its first "/".
std::string first_part(const std::string& file) {
  const std::size_t end = file.find('/');
  return end == std::string::npos ? "" : file.substr(0, end);
}

/// The subfolders that are splits; nothing where the folder is not of that kind.
struct SplitFolders {
  fs::path train;
  std::optional<fs::path> test;
};

std::optional<SplitFolders> split_folders(const fs::path& path) {
  std::optional<SplitFolders> found;
  std::error_code failed;
  if (!fs::is_directory(path / "train", failed) || fs::exists(path / kTable, failed)) return found;
  found = SplitFolders{path / "train", std::nullopt};
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (hidden(entry.path())) continue;
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory(failed)) {
      if (is_picture(entry.path())) return std::nullopt;
    } else if (name != "train") {
      if (std::ranges::find(kTestNames, name) == kTestNames.end()) return std::nullopt;
    }
  }
  for (const char* const name : kTestNames) {
    if (!found->test && fs::is_directory(path / name, failed)) found->test = path / name;
  }
  return found;
}

/// Where the pictures of a split lie; nothing where it is not there.
std::optional<fs::path> root_of(const fs::path& path, Split split) {
  const std::optional<SplitFolders> folders = split_folders(path);
  if (split == Split::train) return folders ? folders->train : path;
  return folders ? folders->test : std::nullopt;
}

using Names = std::vector<std::string>;

void require_known(const FolderListing& listing, const Names& classes, const std::string& name) {
  if (std::ranges::find(classes, name) != classes.end()) return;
  throw DataError(listing.root.string(),
                  "expected the classes of the training pictures, got \"" + name + "\" besides");
}

std::map<std::string, std::int64_t> index_of(const Names& names) {
  std::map<std::string, std::int64_t> index;
  for (const std::string& name : names) {
    index.emplace(name, static_cast<std::int64_t>(index.size()));
  }
  return index;
}

// Below, `known` are the classes of the training split, where this is another; else null.

void label_by_table(FolderListing& listing, const Names* known) {
  const fs::path table = listing.root / kTable;
  const std::vector<LabelLine> lines = parse_label_table(read_text(table), table.string());
  const Names own = ordered_labels(lines);
  Names names = known != nullptr ? *known : own;
  for (const std::string& name : own) require_known(listing, names, name);
  const std::map<std::string, std::int64_t> index = index_of(names);
  std::map<std::string, std::int64_t> labels;
  for (const LabelLine& line : lines) {
    if (!std::ranges::binary_search(listing.files, line.file)) {
      throw DataError(table.string(), "line " + std::to_string(line.line) +
                                          ": expected a picture of the folder, got \"" + line.file +
                                          "\"");
    }
    labels.emplace(line.file, index.at(line.label));
  }
  listing.files.clear();
  for (const auto& [file, label] : labels) {
    listing.files.push_back(file);
    listing.labels.push_back(label);
  }
  listing.class_names = std::move(names);
}

void label_by_subfolder(FolderListing& listing, const Names* known) {
  std::set<std::string> names;
  for (const std::string& file : listing.files) names.insert(first_part(file));
  if (names.contains("") || (known != nullptr && known->empty())) return;
  listing.class_names = known != nullptr ? *known : Names(names.begin(), names.end());
  for (const std::string& name : names) require_known(listing, listing.class_names, name);
  const std::map<std::string, std::int64_t> index = index_of(listing.class_names);
  for (const std::string& file : listing.files) {
    listing.labels.push_back(index.at(first_part(file)));
  }
}

std::string times_of(const FolderListing& listing) {
  std::string text;
  for (std::size_t i = 0; i < listing.files.size(); ++i) {
    const fs::path path = listing.root / listing.files[i];
    std::error_code failed;
    const auto size = fs::file_size(path, failed);
    const auto time = fs::last_write_time(path, failed).time_since_epoch().count();
    if (failed) throw SystemError("[" + path.string() + "] cannot read: " + failed.message());
    text += listing.files[i] + "\t" + std::to_string(size) + "\t" + std::to_string(time) + "\t" +
            (listing.labels.empty()
                 ? ""
                 : listing.class_names[static_cast<std::size_t>(listing.labels[i])]) +
            "\n";
  }
  return text;
}

PackSource source_of(const FolderListing& listing, std::int64_t size, std::int64_t channels) {
  const auto path_of = [&listing](std::int64_t i) {
    return listing.root / listing.files[static_cast<std::size_t>(i)];
  };
  return {.count = static_cast<std::int64_t>(listing.files.size()),
          .channels = channels,
          .height = size,
          .width = size,
          .labels = listing.labels,
          .class_names = listing.class_names,
          .classes = static_cast<std::int64_t>(listing.class_names.size()),
          .hash = [=](std::int64_t i) { return content_hash(read_bytes(path_of(i))); },
          .picture =
              [=](std::int64_t i) {
                const fs::path path = path_of(i);
                return fitted(io::decode_image(read_bytes(path), path.string()), size, channels);
              }};
}

}  // namespace

bool holds_pictures(const fs::path& path) {
  bool found = false;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return false;
  walk(path, [&](const fs::path& file) {
    found = is_picture(file);
    return !found;
  });
  return found;
}

std::vector<Split> folder_splits(const fs::path& path) {
  std::vector<Split> splits{Split::train};
  if (root_of(path, Split::test)) splits.push_back(Split::test);
  return splits;
}

FolderListing list_folder(const fs::path& path, Split split) {
  const std::optional<fs::path> root = root_of(path, split);
  if (!root) {
    throw DataError(path.string(), "expected a subfolder \"" + to_string(split) +
                                       "\", or data.validation above 0, which holds a share of the "
                                       "pictures out, got neither");
  }
  FolderListing listing{.root = *root};
  walk(*root, [&](const fs::path& file) {
    (is_picture(file) ? listing.files : listing.passed_over)
        .push_back(file.lexically_relative(*root).generic_string());
    return true;
  });
  std::ranges::sort(listing.files);
  std::ranges::sort(listing.passed_over);
  if (listing.files.empty()) {
    throw DataError(root->string(), "expected PNG, JPEG or WebP pictures, got none");
  }
  Names trained;
  if (split != Split::train) trained = list_folder(path, Split::train).class_names;
  const Names* const known = split != Split::train ? &trained : nullptr;
  std::error_code ignored;
  if (fs::exists(*root / kTable, ignored)) {
    std::erase(listing.passed_over, kTable);
    label_by_table(listing, known);
  } else {
    label_by_subfolder(listing, known);
  }
  if (listing.class_names.size() == 1) {
    listing.class_names.clear();
    listing.labels.clear();
  }
  return listing;
}

Dataset open_folder(const config::DataConfig& config, Split split, const Sinks& sinks,
                    const StopRequested& stop) {
  const FolderListing listing = list_folder(config.path, split);
  const PackKey key{.place = "folder 1\n" + fs::weakly_canonical(listing.root).string() +
                             "\nsquare " + std::to_string(config.size) + "\nchannels " +
                             std::to_string(config.channels) + "\n",
                    .content = times_of(listing)};
  Dataset dataset = packed(
      cache_folder(), key, [&] { return source_of(listing, config.size, config.channels); }, sinks,
      stop);
  dataset.name = "folder";
  return dataset;
}

}  // namespace tinta::data
