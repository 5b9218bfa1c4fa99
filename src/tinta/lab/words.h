#pragma once

#include <string>

namespace tinta::lab {

/// A number as a sentence holds it: `digits` significant ones, "0.0402", "4.04e-05".
std::string brief(double value, int digits = 3);

}  // namespace tinta::lab
