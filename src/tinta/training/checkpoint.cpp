#include "tinta/training/checkpoint.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "tinta/config/run_folder.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"
#include "tinta/io/safetensors.h"

namespace tinta::training {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;
using Bytes = std::vector<std::byte>;

constexpr const char* kFormat = "tinta-checkpoint-1";
constexpr std::array<const char*, 5> kFiles = {"model.safetensors", "ema.safetensors",
                                               "optimizer.safetensors", "state.json", "clock.json"};

// "ema-0.05.safetensors"
std::string tracked_file(double width) { return "ema-" + shortest(width) + ".safetensors"; }

// The relative width in "ema-0.05.safetensors", or nothing.
std::optional<double> width_of(const std::string& name) {
  constexpr std::string_view kPrefix = "ema-";
  if (!name.starts_with(kPrefix)) return {};
  double width = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), width);
  if (tracked_file(width) != name) return {};
  return width;
}

Bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

Bytes encode(const NamedTensors& tensors) {
  io::TensorFile file;
  for (const auto& [name, tensor] : tensors) file.tensors.emplace_back(name, tensor.cpu());
  return io::encode_safetensors(file);
}

std::map<std::string, Bytes> encode_files(const TrainingState& state) {
  NamedTensors moments;
  for (const ParameterState& p : state.parameters) moments.emplace_back("m." + p.name, p.m);
  for (const ParameterState& p : state.parameters) moments.emplace_back("v." + p.name, p.v);
  const json progress = {{"step", state.step},
                         {"images", state.images},
                         {"loss_sum", state.loss_sum},
                         {"loss_count", state.loss_count},
                         {"level_loss_sums", state.level_losses.sums},
                         {"level_loss_counts", state.level_losses.counts},
                         {"skips", to_json(state.skips)},
                         {"loss_scale", to_json(state.loss_scale)}};
  const json clock = {{"seconds", state.seconds}};
  std::map<std::string, Bytes> files = {{"model.safetensors", encode(state.masters())},
                                        {"ema.safetensors", encode(state.averages())},
                                        {"optimizer.safetensors", encode(moments)},
                                        {"state.json", bytes_of(progress.dump(2) + "\n")},
                                        {"clock.json", bytes_of(clock.dump(2) + "\n")}};
  for (std::size_t i = 0; i < state.relative_widths.size(); ++i) {
    files[tracked_file(state.relative_widths[i])] = encode(state.tracked(i));
  }
  return files;
}

std::string encode_manifest(std::uint64_t step, const std::map<std::string, Bytes>& files) {
  json manifest = {{"format", kFormat}, {"step", step}, {"files", json::object()}};
  for (const auto& [name, content] : files) {
    manifest["files"][name] = {{"bytes", content.size()}, {"sha256", sha256(content)}};
  }
  return manifest.dump(2) + "\n";
}

json parse_json(const fs::path& path) {
  try {
    return json::parse(read_text(path));
  } catch (const json::exception& error) {
    throw DataError(path.string(), std::string("expected JSON, got ") + error.what());
  }
}

struct ManifestEntry {
  std::uint64_t size = 0;
  std::string digest;
};

// Reads a manifest strictly: every file of a checkpoint, tracked averages, nothing else.
std::map<std::string, ManifestEntry> read_manifest(const CheckpointRef& checkpoint) {
  const fs::path path = checkpoint.folder / "manifest.json";
  const json manifest = parse_json(path);
  std::map<std::string, ManifestEntry> entries;
  try {
    if (manifest.at("format") != kFormat) {
      throw DataError(path.string(), "expected format " + std::string(kFormat) + ", got " +
                                         manifest.at("format").dump());
    }
    if (manifest.at("step").get<std::uint64_t>() != checkpoint.step) {
      throw DataError(path.string(), "expected step " + std::to_string(checkpoint.step) + ", got " +
                                         manifest.at("step").dump());
    }
    for (const auto& [name, entry] : manifest.at("files").items()) {
      entries[name] = {entry.at("bytes").get<std::uint64_t>(),
                       entry.at("sha256").get<std::string>()};
    }
  } catch (const json::exception& error) {
    throw DataError(path.string(), std::string("expected a manifest, got ") + error.what());
  }
  for (const char* name : kFiles) {
    if (!entries.contains(name)) {
      throw DataError(path.string(), std::string("expected an entry for ") + name + ", got none");
    }
  }
  for (const auto& [name, entry] : entries) {
    if (!width_of(name) && std::ranges::find(kFiles, name) == kFiles.end()) {
      throw DataError(path.string(),
                      "expected the files of a checkpoint, got an entry for " + name);
    }
  }
  return entries;
}

// One file of a checkpoint, checked against the manifest.
Bytes read_checked(const CheckpointRef& checkpoint, const std::string& name) {
  const std::map<std::string, ManifestEntry> manifest = read_manifest(checkpoint);
  const ManifestEntry& entry = manifest.at(name);
  const fs::path path = checkpoint.folder / name;
  Bytes content = read_bytes(path);
  if (content.size() != entry.size) {
    throw DataError(path.string(), "expected " + std::to_string(entry.size) +
                                       " bytes as the manifest says, got " +
                                       std::to_string(content.size()));
  }
  const std::string digest = sha256(content);
  if (digest != entry.digest) {
    throw DataError(path.string(),
                    "expected SHA-256 " + entry.digest + " as the manifest says, got " + digest);
  }
  return content;
}

NamedTensors read_tensors(const CheckpointRef& checkpoint, const std::string& name) {
  return io::decode_safetensors(read_checked(checkpoint, name), (checkpoint.folder / name).string())
      .tensors;
}

json read_json(const CheckpointRef& checkpoint, const std::string& name) {
  const Bytes content = read_checked(checkpoint, name);
  return json::parse(reinterpret_cast<const char*>(content.data()),
                     reinterpret_cast<const char*>(content.data()) + content.size());
}

// Of a checkpoint that was written before they were kept: none.
LevelLosses read_level_losses(const json& progress) {
  LevelLosses losses;
  if (!progress.contains("level_loss_sums")) return losses;
  progress.at("level_loss_sums").get_to(losses.sums);
  progress.at("level_loss_counts").get_to(losses.counts);
  return losses;
}

// Of the averages in a checkpoint, rising.
std::vector<double> tracked_widths(const CheckpointRef& checkpoint) {
  std::vector<double> widths;
  for (const auto& [name, entry] : read_manifest(checkpoint)) {
    if (const auto width = width_of(name)) widths.push_back(*width);
  }
  std::ranges::sort(widths);
  return widths;
}

void remove_left_overs(const fs::path& checkpoints) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(checkpoints, ignored)) {
    if (entry.path().filename().string().starts_with(".tmp-"))
      fs::remove_all(entry.path(), ignored);
  }
}

// Whether the two have changed places, in one call that no kill can part; false where the file
// system cannot do so, as some of a network cannot. @throws SystemError when it fails otherwise
bool exchanged(const fs::path& one, const fs::path& other) {
  if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0)
    return true;
  if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) return false;
  throw SystemError("[" + other.string() + "] cannot rename into place", errno);
}

// Puts a complete temporary folder in its place; one of that name that is already there (a faulty
// one, or the same step saved again) comes out of it and is removed after.
void rename_into_place(const fs::path& temporary, const fs::path& target) {
  const fs::path aside = temporary.string() + "-old";
  std::error_code error;
  if (fs::exists(target)) {
    if (exchanged(temporary, target)) {
      try {
        flush_folder(target.parent_path());
      } catch (...) {
        exchanged(temporary, target);
        throw;
      }
      fs::remove_all(temporary, error);
      return;
    }
    fs::rename(target, aside, error);
    if (error) throw SystemError("[" + target.string() + "] cannot move aside: " + error.message());
  }
  fs::rename(temporary, target, error);
  if (error) {
    const std::string why = error.message();
    fs::rename(aside, target, error);  // what was there before stands; nothing where there was none
    throw SystemError("[" + target.string() + "] cannot rename into place: " + why);
  }
  flush_folder(target.parent_path());
  fs::remove_all(aside, error);
}

}  // namespace

std::vector<CheckpointRef> list_checkpoints(const fs::path& run) {
  std::vector<CheckpointRef> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints", error)) {
    const auto step = config::step_in(entry.path().filename().string());
    if (step && entry.is_directory()) found.push_back({entry.path(), *step});
  }
  std::ranges::sort(found, std::ranges::greater{}, &CheckpointRef::step);
  return found;
}

std::optional<std::string> fault(const CheckpointRef& checkpoint) {
  try {
    for (const auto& [name, entry] : read_manifest(checkpoint)) read_checked(checkpoint, name);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

std::optional<CheckpointRef> newest_valid(const fs::path& run,
                                          const std::function<void(const std::string&)>& warn) {
  std::vector<std::string> damaged;
  std::optional<CheckpointRef> newest;
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
    const auto wrong = fault(checkpoint);
    if (!wrong) {
      newest = checkpoint;
      break;
    }
    damaged.push_back("checkpoint " + checkpoint.folder.filename().string() +
                      " is damaged and passed over: " + *wrong);
  }
  const std::string instead = newest
                                  ? "; " + newest->folder.filename().string() + " is used instead"
                                  : "; there is no other one";
  for (const std::string& text : damaged) {
    if (warn) warn(text + instead);
  }
  return newest;
}

CheckpointRef checkpoint_at(const fs::path& run, std::uint64_t step) {
  std::string known;
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
    if (checkpoint.step == step) {
      if (const auto wrong = fault(checkpoint)) throw DataError(checkpoint.folder.string(), *wrong);
      return checkpoint;
    }
    known += (known.empty() ? "" : ", ") + std::to_string(checkpoint.step);
  }
  throw ArgumentError("[" + run.string() + "] expected a checkpoint of step " +
                      std::to_string(step) + ", got those of: " + (known.empty() ? "none" : known));
}

CheckpointRef save_checkpoint(const fs::path& run, const TrainingState& state, std::int64_t keep) {
  const fs::path checkpoints = run / "checkpoints";
  std::error_code error;
  if (fs::create_directories(checkpoints, error)) flush_folder(run);
  remove_left_overs(checkpoints);
  const std::map<std::string, Bytes> files = encode_files(state);
  CheckpointRef target{checkpoints / config::step_name(state.step), state.step};
  const fs::path temporary =
      checkpoints / (".tmp-" + config::step_name(state.step) + "-" + std::to_string(::getpid()));
  try {
    fs::create_directory(temporary, error);
    if (error) throw SystemError("[" + temporary.string() + "] cannot create: " + error.message());
    for (const auto& [name, content] : files) write_file_checked(temporary / name, content);
    flush_folder(temporary);
    write_file_checked(temporary / "manifest.json", bytes_of(encode_manifest(state.step, files)));
    flush_folder(temporary);
    rename_into_place(temporary, target.folder);
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  if (const auto wrong = fault(target)) {
    throw SystemError("[" + target.folder.string() +
                      "] reads back otherwise than written: " + *wrong);
  }
  prune_checkpoints(run, keep);
  return target;
}

// One that is faulty does not count as kept; it goes when enough valid ones are newer.
void prune_checkpoints(const fs::path& run, std::int64_t keep,
                       std::optional<std::uint64_t> also_kept) {
  if (keep <= 0) return;
  std::int64_t kept = 0;
  for (const CheckpointRef& checkpoint : list_checkpoints(run)) {
    if (kept < keep && !fault(checkpoint)) {
      ++kept;
      continue;
    }
    if (kept < keep) continue;  // faulty, among the newest: left for a person to see
    if (checkpoint.step == also_kept) continue;
    std::error_code ignored;
    fs::remove_all(checkpoint.folder, ignored);
  }
}

TrainingState load_checkpoint(const CheckpointRef& checkpoint) {
  TrainingState state;
  const NamedTensors averages = read_tensors(checkpoint, "ema.safetensors");
  const NamedTensors moments = read_tensors(checkpoint, "optimizer.safetensors");
  const std::map<std::string, at::Tensor> ema(averages.begin(), averages.end());
  const std::map<std::string, at::Tensor> moment(moments.begin(), moments.end());
  try {
    for (const auto& [name, master] : read_tensors(checkpoint, "model.safetensors")) {
      state.parameters.push_back({.name = name,
                                  .master = master,
                                  .m = moment.at("m." + name),
                                  .v = moment.at("v." + name),
                                  .ema = ema.at(name)});
    }
    for (const double width : tracked_widths(checkpoint)) {
      state.relative_widths.push_back(width);
      const NamedTensors averages_of_width = read_tensors(checkpoint, tracked_file(width));
      const std::map<std::string, at::Tensor> tracked(averages_of_width.begin(),
                                                      averages_of_width.end());
      for (ParameterState& p : state.parameters) p.tracked.push_back(tracked.at(p.name));
    }
    const json progress = read_json(checkpoint, "state.json");
    state.step = progress.at("step").get<std::uint64_t>();
    state.images = progress.at("images").get<std::uint64_t>();
    state.loss_sum = progress.at("loss_sum").get<double>();
    state.loss_count = progress.at("loss_count").get<std::uint64_t>();
    state.level_losses = read_level_losses(progress);
    state.skips = skips_from(progress.value("skips", json::object()));
    state.loss_scale = loss_scale_from(progress.value("loss_scale", json::object()));
    state.seconds = read_json(checkpoint, "clock.json").at("seconds").get<double>();
  } catch (const std::out_of_range&) {
    throw DataError(checkpoint.folder.string(),
                    "expected the same tensors in every file, got others");
  } catch (const json::exception& problem) {
    throw DataError(checkpoint.folder.string(), std::string("state.json: ") + problem.what());
  }
  return state;
}

Skips load_skips(const CheckpointRef& checkpoint) {
  try {
    return skips_from(read_json(checkpoint, "state.json").value("skips", json::object()));
  } catch (const json::exception& problem) {
    throw DataError(checkpoint.folder.string(), std::string("state.json: ") + problem.what());
  }
}

NamedTensors load_weights(const CheckpointRef& checkpoint, WeightsKind kind) {
  return read_tensors(checkpoint,
                      kind == WeightsKind::ema ? "ema.safetensors" : "model.safetensors");
}

std::string content_hash(const CheckpointRef& checkpoint, WeightsKind kind) {
  const auto manifest = read_manifest(checkpoint);
  return manifest.at(kind == WeightsKind::ema ? "ema.safetensors" : "model.safetensors")
      .digest.substr(0, 16);
}

}  // namespace tinta::training
