#include "tinta/experiment/profile.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::experiment {
namespace {

struct Rule {
  std::string_view word;
  Part part;
};

// The first word that a name holds decides. Nodes of the backward pass are named after the
// operators that they undo, and what the engine runs them in after the nodes.
constexpr std::array kRules = {
    Rule{"tinta::data", Part::data},
    Rule{"tinta::noise", Part::noise},
    Rule{"tinta::optimiser", Part::optimiser},
    Rule{"tinta::group_norm", Part::group_norm},
    Rule{"tinta::attention", Part::attention},
    Rule{"tinta::phases", Part::copies},
    Rule{"tinta::weight_gradient", Part::weight_gradient},
    Rule{"PhasesFunction", Part::copies},
    Rule{"GroupNorm", Part::group_norm},
    Rule{"native_group_norm", Part::group_norm},
    Rule{"convolution_backward", Part::weight_gradient},
    Rule{"ConvolutionBackward", Part::weight_gradient},
    Rule{"aten::conv", Part::convolution},
    Rule{"aten::_convolution", Part::convolution},
    Rule{"aten::mkldnn_convolution", Part::convolution},
    Rule{"mkldnn::_convolution", Part::convolution},
    Rule{"mkldnn_reorder_conv2d_weight", Part::convolution},
    Rule{"scaled_dot_product", Part::attention},
    Rule{"ScaledDotProduct", Part::attention},
    Rule{"aten::bmm", Part::attention},
    Rule{"aten::baddbmm", Part::attention},
    Rule{"BmmBackward", Part::attention},
    Rule{"softmax", Part::attention},
    Rule{"SoftmaxBackward", Part::attention},
    Rule{"aten::linear", Part::linear},
    Rule{"LinearBackward", Part::linear},
    Rule{"aten::addmm", Part::linear},
    Rule{"AddmmBackward", Part::linear},
    Rule{"aten::mm", Part::linear},
    Rule{"MmBackward", Part::linear},
    Rule{"aten::to", Part::copies},
    Rule{"aten::_to_copy", Part::copies},
    Rule{"ToCopyBackward", Part::copies},
    Rule{"aten::copy_", Part::copies},
    Rule{"CopyBackwards", Part::copies},
    Rule{"aten::clone", Part::copies},
    Rule{"CloneBackward", Part::copies},
    Rule{"aten::contiguous", Part::copies},
    Rule{"aten::cat", Part::copies},
    Rule{"CatBackward", Part::copies},
    Rule{"constant_pad_nd", Part::copies},
    Rule{"ConstantPadNdBackward", Part::copies},
};

// Steps of a trace: starts and ends, in order.
class Windows {
 public:
  Windows(const std::vector<Operation>& operations, const std::string& step) {
    for (const Operation& operation : operations) {
      if (operation.name == step) spans_.emplace_back(operation.start, operation.end);
    }
    std::ranges::sort(spans_);
  }

  [[nodiscard]] bool hold(std::int64_t time) const {
    const auto after =
        std::ranges::upper_bound(spans_, time, {}, &std::pair<std::int64_t, std::int64_t>::first);
    return after != spans_.begin() && time < std::prev(after)->second;
  }

  [[nodiscard]] std::size_t count() const { return spans_.size(); }

  [[nodiscard]] double nanoseconds() const {
    double sum = 0;
    for (const auto& [start, end] : spans_) sum += static_cast<double>(end - start);
    return sum;
  }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> spans_;
};

double length_of(const Operation& operation) {
  return static_cast<double>(operation.end - operation.start);
}

// Nanoseconds by part; the convolutions' backward pass is split, and what no part claims is other.
std::map<Part, double> sums_of(const std::vector<Operation>& operations, const Windows& windows,
                               const DataShare& data_share) {
  std::map<Part, double> sums;
  std::uint64_t thread = 0;
  std::int64_t claimed_until =
      0;  // operations of a thread nest: those that start before are inside
  for (const Operation& operation : operations) {
    if (operation.thread != thread) claimed_until = 0;
    thread = operation.thread;
    if (!windows.hold(operation.start)) continue;
    if (operation.convolution) {
      const double moved = length_of(operation) * data_share(*operation.convolution);
      sums[Part::data_gradient] += moved;
      sums[Part::weight_gradient] -= moved;
    }
    const Part part = part_of(operation.name);
    if (part == Part::other || operation.start < claimed_until) continue;
    claimed_until = operation.end;
    sums[part] += length_of(operation);
  }
  double claimed = 0;
  for (const auto& [part, time] : sums) claimed += time;
  sums[Part::other] = std::max(0.0, windows.nanoseconds() - claimed);
  return sums;
}

std::string row_of(std::string name, const PartTime& part) {
  name.resize(30, ' ');
  const auto right = [](const std::string& text) {
    return std::string(10 - std::min<std::size_t>(10, text.size()), ' ') + text;
  };
  return name + right(fixed(part.milliseconds, 2)) + " ms" + right(fixed(100 * part.share, 1)) +
         " %\n";
}

nlohmann::ordered_json event_of(const Operation& operation) {
  nlohmann::ordered_json event = {{"name", operation.name},
                                  {"cat", to_string(part_of(operation.name))},
                                  {"ph", "X"},
                                  {"ts", static_cast<double>(operation.start) * 1e-3},
                                  {"dur", length_of(operation) * 1e-3},
                                  {"pid", 1},
                                  {"tid", operation.thread}};
  if (!operation.sizes.empty()) event["args"] = {{"sizes", operation.sizes}};
  return event;
}

}  // namespace

std::string to_string(Part part) {
  switch (part) {
    case Part::convolution:
      return "convolution, forward";
    case Part::data_gradient:
      return "convolution, data gradient";
    case Part::weight_gradient:
      return "convolution, weight gradient";
    case Part::group_norm:
      return "group norm";
    case Part::attention:
      return "attention";
    case Part::linear:
      return "linear";
    case Part::optimiser:
      return "optimiser";
    case Part::data:
      return "data";
    case Part::noise:
      return "noise";
    case Part::copies:
      return "copies and casts";
    case Part::other:
      break;
  }
  return "other";
}

std::vector<Part> all_parts() {
  std::vector<Part> parts;
  for (int i = 0; i <= static_cast<int>(Part::other); ++i) parts.push_back(static_cast<Part>(i));
  return parts;
}

Part part_of(std::string_view name) {
  for (const Rule& rule : kRules) {
    if (name.find(rule.word) != std::string_view::npos) return rule.part;
  }
  return Part::other;
}

Profile profile_of(const std::vector<Operation>& operations, const std::string& step,
                   const DataShare& data_share) {
  const Windows windows(operations, step);
  if (windows.count() == 0) throw ArgumentError("[profile] expected a traced step, got none");
  const std::map<Part, double> sums = sums_of(operations, windows, data_share);
  const auto steps = static_cast<double>(windows.count());
  double total = 0;
  for (const auto& [part, time] : sums) total += time;
  Profile profile{.steps = static_cast<std::int64_t>(windows.count()),
                  .milliseconds = total * 1e-6 / steps};
  for (const Part part : all_parts()) {
    const double time = sums.contains(part) ? sums.at(part) : 0;
    profile.parts.push_back(
        {.part = part, .milliseconds = time * 1e-6 / steps, .share = total > 0 ? time / total : 0});
  }
  return profile;
}

std::string table_of(const Profile& profile) {
  std::vector<PartTime> parts = profile.parts;
  std::erase_if(parts, [](const PartTime& part) { return part.milliseconds == 0; });
  std::ranges::stable_sort(parts, std::ranges::greater{}, &PartTime::milliseconds);
  std::string text;
  for (const PartTime& part : parts) text += row_of(to_string(part.part), part);
  return text + row_of("a step, traced", {.milliseconds = profile.milliseconds, .share = 1});
}

nlohmann::ordered_json to_json(const Profile& profile) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const PartTime& part : profile.parts) {
    parts.push_back({{"part", to_string(part.part)},
                     {"milliseconds", part.milliseconds},
                     {"share", part.share}});
  }
  return {{"steps", profile.steps}, {"milliseconds", profile.milliseconds}, {"parts", parts}};
}

std::string chrome_trace(const std::vector<Operation>& operations) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const Operation& operation : operations) events.push_back(event_of(operation));
  const nlohmann::ordered_json trace = {{"displayTimeUnit", "ms"},
                                        {"traceEvents", std::move(events)}};
  return trace.dump() + "\n";
}

}  // namespace tinta::experiment
