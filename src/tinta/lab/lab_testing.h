#pragma once

#include <string>
#include <vector>

#include "tinta/lab/row.h"

// For tests of rows.

namespace tinta::lab {

/// What the checks that do not hold say.
inline std::vector<std::string> failing(const Result& result) {
  std::vector<std::string> names;
  for (const Check& check : result.checks) {
    if (!check.pass()) names.push_back(check.what);
  }
  return names;
}

}  // namespace tinta::lab
