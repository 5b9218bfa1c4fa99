#include "tinta/training/ema_snapshots.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"
#include "tinta/io/safetensors.h"
#include "tinta/training/power_ema.h"

namespace tinta::training {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFormat = "tinta-ema-1";
constexpr const char* kDigest = "sha256";

struct SnapshotRef {
  fs::path path;
  std::uint64_t step = 0;
};

/// One average of a snapshot.
struct Member {
  double width = 0;
  NamedTensors weights;
};

fs::path path_of(const fs::path& run, std::uint64_t step) {
  const std::string digits = std::to_string(step);
  const std::string zeros(digits.size() < 8 ? 8 - digits.size() : 0, '0');
  return run / "ema" / ("step-" + zeros + digits + ".safetensors");
}

// Oldest first.
std::vector<SnapshotRef> list_snapshots(const fs::path& run) {
  constexpr std::string_view kPrefix = "step-";
  std::vector<SnapshotRef> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / "ema", error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::uint64_t step = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
    if (path_of(run, step).filename() == name) found.push_back({entry.path(), step});
  }
  std::ranges::sort(found, {}, &SnapshotRef::step);
  return found;
}

at::Tensor halved(const at::Tensor& average) {
  const at::Tensor whole = average.detach().cpu().contiguous();
  const at::Tensor half = whole.to(at::kHalf);
  return half.isfinite().all().item<bool>() ? half : whole;
}

// A file's bytes, with the digest of what they are without one.
std::vector<std::byte> sealed(io::TensorFile file) {
  file.metadata.erase(kDigest);
  file.metadata[kDigest] = sha256(io::encode_safetensors(file));
  return io::encode_safetensors(file);
}

std::vector<Member> read_snapshot(const SnapshotRef& snapshot) {
  const std::string path = snapshot.path.string();
  const std::vector<std::byte> bytes = read_bytes(snapshot.path);
  const io::TensorFile file = io::decode_safetensors(bytes, path);
  const auto said = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (said("format") != kFormat || said("step") != std::to_string(snapshot.step)) {
    throw DataError(path, std::string("expected averages in the format ") + kFormat + " of step " +
                              std::to_string(snapshot.step) + ", got format \"" + said("format") +
                              "\" of step \"" + said("step") + "\"");
  }
  if (sealed(file) != bytes) {
    throw DataError(path, "expected SHA-256 " + said(kDigest) + " as it says, got another");
  }
  std::vector<Member> members;
  for (const auto& [name, tensor] : file.tensors) {
    const std::size_t slash = name.find('/');
    double width = 0;
    std::from_chars(name.data(), name.data() + std::min(slash, name.size()), width);
    if (slash == std::string::npos || !(width > 0)) {
      throw DataError(path, "expected tensors named WIDTH/NAME, got " + name);
    }
    if (members.empty() || members.back().width != width) members.push_back({width, {}});
    members.back().weights.emplace_back(name.substr(slash + 1), tensor);
  }
  return members;
}

// Sums of averages, each times its weight, in double.
class WeightedSum {
 public:
  void add(const NamedTensors& weights, double weight) {
    for (const auto& [name, tensor] : weights) {
      const at::Tensor term = tensor.to(at::kDouble) * weight;
      const auto [entry, made] = sums_.try_emplace(name, term);
      if (made) {
        order_.push_back(name);
      } else {
        entry->second.add_(term);
      }
    }
  }

  [[nodiscard]] NamedTensors take() const {
    NamedTensors out;
    for (const std::string& name : order_) out.emplace_back(name, sums_.at(name).to(at::kFloat));
    return out;
  }

 private:
  std::map<std::string, at::Tensor> sums_;
  std::vector<std::string> order_;
};

// Profiles of snapshots that are thought to hold these widths.
std::vector<Profile> profiles_of(const std::vector<SnapshotRef>& snapshots,
                                 const std::vector<double>& widths) {
  std::vector<Profile> profiles;
  for (const SnapshotRef& snapshot : snapshots) {
    for (const double width : widths) {
      profiles.push_back({.step = static_cast<double>(snapshot.step), .gamma = gamma_of(width)});
    }
  }
  return profiles;
}

RebuiltAverage rebuild(const std::vector<SnapshotRef>& snapshots, const std::vector<double>& widths,
                       const Profile& wanted) {
  constexpr double kNothing = 1e-9;  // below it, a file need not be read
  const Combination found = combination(profiles_of(snapshots, widths), wanted);
  RebuiltAverage out{.residual = found.residual};
  WeightedSum sum;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const auto weights = std::span(found.weights).subspan(i * widths.size(), widths.size());
    if (std::ranges::all_of(weights, [](double w) { return std::abs(w) < kNothing; })) continue;
    const std::vector<Member> members = read_snapshot(snapshots[i]);
    if (!std::ranges::equal(members, widths, {}, &Member::width)) {
      throw DataError(snapshots[i].path.string(),
                      "expected averages of the widths of the other snapshots, got others");
    }
    for (std::size_t j = 0; j < members.size(); ++j) sum.add(members[j].weights, weights[j]);
    ++out.snapshots;
  }
  out.weights = sum.take();
  return out;
}

}  // namespace

void save_snapshot(const fs::path& run, const TrainingState& state) {
  if (state.relative_widths.empty()) return;
  io::TensorFile file{.metadata = {{"format", kFormat}, {"step", std::to_string(state.step)}}};
  for (std::size_t i = 0; i < state.relative_widths.size(); ++i) {
    const std::string folder = shortest(state.relative_widths[i]) + "/";
    for (const auto& [name, average] : state.tracked(i)) {
      file.tensors.emplace_back(folder + name, halved(average));
    }
  }
  const std::vector<std::byte> bytes = sealed(std::move(file));
  const fs::path path = path_of(run, state.step);
  write_file(path, bytes, Existing::replace);
  if (read_bytes(path) != bytes) {
    throw SystemError("[" + path.string() + "] reads back otherwise than written");
  }
}

void cut_snapshots(const fs::path& run, std::uint64_t step) {
  std::error_code ignored;
  for (const SnapshotRef& snapshot : list_snapshots(run)) {
    if (snapshot.step > step) fs::remove(snapshot.path, ignored);
  }
}

RebuiltAverage rebuild_average(const fs::path& run, std::uint64_t step, double width,
                               const std::function<void(const std::string&)>& warn) {
  const Profile wanted{.step = static_cast<double>(step), .gamma = gamma_of(width)};
  std::vector<SnapshotRef> snapshots = list_snapshots(run);
  std::erase_if(snapshots, [&](const SnapshotRef& s) { return s.step > step || s.step == 0; });
  // Each one that turns out damaged is left out, and the others weigh anew.
  while (!snapshots.empty()) {
    try {
      std::vector<double> widths;
      for (const Member& member : read_snapshot(snapshots.back())) widths.push_back(member.width);
      return rebuild(snapshots, widths, wanted);
    } catch (const DataError& error) {
      if (warn) warn(std::string("a snapshot of averages is passed over: ") + error.what());
      if (std::erase_if(snapshots, [&](const SnapshotRef& s) { return s.path == error.path(); }) ==
          0)
        throw;
    }
  }
  throw ArgumentError("[" + run.string() + "] expected snapshots of averages up to step " +
                      std::to_string(step) +
                      " to rebuild one from (training.ema_relative_widths), got none");
}

}  // namespace tinta::training
