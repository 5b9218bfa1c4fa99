#include "tinta/training/skips.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tinta::training {

bool Skips::passes_over(std::uint64_t step) const {
  return std::ranges::any_of(passed_over, [step](const StepRange& range) {
    return range.first <= step && step <= range.last;
  });
}

void Skips::count_taken(std::uint64_t step) {
  in_row = 0;
  first_bad = 0;
  std::erase_if(passed_over, [step](const StepRange& range) { return range.last < step; });
  if (step >= last_bad + kForgotten) rollbacks = 0;
}

void Skips::count_bad(std::uint64_t step) {
  ++total;
  if (in_row++ == 0) first_bad = step;
  last_bad = step;
}

nlohmann::json to_json(const Skips& skips) {
  nlohmann::json ranges = nlohmann::json::array();
  for (const StepRange& range : skips.passed_over) ranges.push_back({range.first, range.last});
  return {{"total", skips.total},         {"in_row", skips.in_row},
          {"first_bad", skips.first_bad}, {"last_bad", skips.last_bad},
          {"rollbacks", skips.rollbacks}, {"passed_over", ranges}};
}

Skips skips_from(const nlohmann::json& json) {
  const auto number = [&](const char* key) { return json.value(key, std::uint64_t{0}); };
  Skips skips{.total = number("total"),
              .in_row = number("in_row"),
              .first_bad = number("first_bad"),
              .last_bad = number("last_bad"),
              .rollbacks = number("rollbacks"),
              .passed_over = {}};
  for (const auto& range : json.value("passed_over", nlohmann::json::array())) {
    skips.passed_over.push_back(
        {.first = range.at(0).get<std::uint64_t>(), .last = range.at(1).get<std::uint64_t>()});
  }
  return skips;
}

}  // namespace tinta::training
