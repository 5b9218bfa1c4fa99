#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tinta/config/config.h"

namespace tinta::config {

/// Calls f("training.batch", value) for every key, in order; value is a reference to the member: a
/// std::string, std::int64_t, std::uint64_t, double, bool, std::vector<std::int64_t> or
/// std::vector<double>.
template <class F>
void for_each_field(RunConfig& config, F&& f) {
  config.sections([&](const char* table, auto& section) {
    section.fields([&](const char* key, auto& value) { f(std::string(table) + "." + key, value); });
  });
}

}  // namespace tinta::config
