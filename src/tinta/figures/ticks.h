#pragma once

#include <string>
#include <vector>

namespace tinta::figures {

struct Tick {
  double value;
  std::string label;  ///< markup
};

/// Marks of an axis, rising.
struct Ticks {
  std::vector<Tick> major{};
  std::vector<double> minor{};  ///< without labels
  int exponent = 0;             ///< labels are to be multiplied by ten to this power
};

/// Multiples of 1, 2, 2.5 or 5 times a power of ten, as many as fit. Labels of very large or very
/// small values leave out a common power of ten.
/// @param low, high finite, low < high
/// @param at_most   largest number of marks, at least 2
Ticks linear_ticks(double low, double high, int at_most);

/// Powers of ten, or of 10^k where more would not fit, with 2 to 9 times each between; over less
/// than two decades 1, 2 and 5 times each, and over less than one, linear_ticks().
/// @param low, high finite, 0 < low < high
Ticks log_ticks(double low, double high, int at_most);

/// "×10<sup>n</sup>" as markup.
std::string power_label(int exponent);

}  // namespace tinta::figures
