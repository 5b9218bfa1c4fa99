#include "tinta/cli/compare_runs.h"

#include <map>
#include <nlohmann/json.hpp>

#include "tinta/config/run_folder.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"

namespace tinta::cli {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

ordered_json parse(const std::string& text, const fs::path& path) {
  try {
    return ordered_json::parse(text);
  } catch (const ordered_json::exception& error) {
    throw DataError(path.string(), std::string("expected JSON, got ") + error.what());
  }
}

std::string manifest_digest(const fs::path& path) {
  ordered_json manifest = parse(read_text(path), path);
  if (manifest.contains("files")) manifest["files"].erase(config::kClockFile);
  return sha256(manifest.dump());
}

std::string metrics_digest(const fs::path& path) {
  std::string lines;
  for (const std::string& line : split(read_text(path), '\n')) {
    if (line.empty()) continue;
    ordered_json json = parse(line, path);
    for (const std::string& key : config::clock_metrics()) json.erase(key);
    lines += json.dump() + "\n";
  }
  return sha256(lines);
}

/// Name -> SHA-256 of what a run should share with another.
std::map<std::string, std::string> digests(const fs::path& run) {
  std::map<std::string, std::string> found;
  const std::vector<fs::path> checkpoints = config::checkpoint_folders(run);
  if (!checkpoints.empty()) {
    for (const auto& entry : fs::directory_iterator(checkpoints.back())) {
      const std::string name = entry.path().filename().string();
      if (name == config::kClockFile) continue;
      found[name] = name == "manifest.json" ? manifest_digest(entry.path())
                                            : sha256(read_bytes(entry.path()));
    }
  }
  if (fs::exists(run / "metrics.jsonl")) {
    found["metrics.jsonl"] = metrics_digest(run / "metrics.jsonl");
  }
  for (const char* name : {"validation.jsonl", "best.json"}) {
    if (fs::exists(run / name)) found[name] = sha256(read_bytes(run / name));
  }
  std::error_code none;
  for (const std::string folder : {"samples", "ema", "post-mortem"}) {
    for (const auto& entry : fs::directory_iterator(run / folder, none)) {
      found[folder + "/" + entry.path().filename().string()] = sha256(read_bytes(entry.path()));
    }
  }
  return found;
}

}  // namespace

std::vector<ComparedFile> compare_runs(const fs::path& straight, const fs::path& killed) {
  std::map<std::string, ComparedFile> files;
  for (const auto& [name, digest] : digests(straight)) files[name].straight = digest;
  for (const auto& [name, digest] : digests(killed)) files[name].killed = digest;
  std::vector<ComparedFile> compared;
  for (auto& [name, file] : files) {
    file.name = name;
    compared.push_back(file);
  }
  return compared;
}

}  // namespace tinta::cli
