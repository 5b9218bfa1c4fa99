#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/value.h"
#include "tinta/config/visit.h"
#include "tinta/core/error.h"
#include "tinta/core/text.h"

namespace tinta::config {

void set(RunConfig& config, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw ArgumentError("[config] expected key=value, got " + to_text(std::string(assignment)));
  }
  std::string wanted;
  from_text(assignment.substr(0, equals), wanted);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  const std::string_view text = assignment.substr(equals + 1);

  bool found = false;
  std::vector<std::string> keys;
  for_each_field(config, [&](const std::string& key, auto& value) {
    keys.push_back(key);
    if (key != wanted) return;
    found = true;
    if (!from_text(text, value)) {
      throw ArgumentError("[config] " + key + ": expected " + kind_of(value) + ", got " +
                          to_text(std::string(text)));
    }
  });
  if (!found) {
    throw ArgumentError("[config] expected a known key, got " + to_text(wanted) +
                        suggestion(wanted, keys));
  }
}

std::vector<Difference> differences(const RunConfig& left, const RunConfig& right) {
  RunConfig first = left;
  RunConfig second = right;
  std::vector<Difference> out;
  for_each_field(first, [&](const std::string& key, auto& value) {
    out.push_back({key, to_text(value), {}});
  });
  std::size_t i = 0;
  for_each_field(second, [&](const std::string&, auto& value) { out[i++].right = to_text(value); });
  std::erase_if(out, [](const Difference& entry) { return entry.left == entry.right; });
  return out;
}

bool may_change_on_resume(std::string_view key) {
  constexpr std::array<std::string_view, 11> kFree = {"data.path",
                                                      "model.recompute",
                                                      "training.steps",
                                                      "training.log_every",
                                                      "training.checkpoint_every",
                                                      "training.keep_checkpoints",
                                                      "training.sample_every",
                                                      "training.validate_every",
                                                      "training.patience",
                                                      "training.max_skipped",
                                                      "training.max_rollbacks"};
  return key.starts_with("sampling.") || std::find(kFree.begin(), kFree.end(), key) != kFree.end();
}

}  // namespace tinta::config
