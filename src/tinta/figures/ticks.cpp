#include "tinta/figures/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tinta::figures {
namespace {

constexpr double kSlack = 1e-9;  // of a step: an end that rounding put beside a mark still bears it
constexpr const char* kMinus = "\u2212";

// Hyphens become minus signs.
std::string shown(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, std::abs(value));
  const std::string digits = text.data();
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return (value < 0 && !zero ? kMinus : "") + digits;
}

std::string exponent_text(int exponent) {
  return (exponent < 0 ? kMinus : "") + std::to_string(std::abs(exponent));
}

int decade(double value) { return static_cast<int>(std::floor(std::log10(value) + kSlack)); }

// The smallest step that makes at most so many marks.
double step_of(double low, double high, int at_most) {
  double scale = std::pow(10, decade((high - low) / at_most) - 1);
  for (;; scale *= 10) {
    for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
      const double step = factor * scale;
      const double first = std::ceil(low / step - kSlack), last = std::floor(high / step + kSlack);
      if (last - first + 1 <= at_most) return step;
    }
  }
}

// Digits behind the point that show a multiple of the step exactly.
int decimals_of(double step, int exponent) {
  const double scaled = step / std::pow(10, exponent);
  for (int decimals = 0; decimals < 15; ++decimals) {
    const double shifted = scaled * std::pow(10, decimals);
    if (std::abs(shifted - std::round(shifted)) < 1e-6 * shifted) return decimals;
  }
  return 15;
}

// "0.02" and "50" where they are short, else a power of ten: for single marks of a log axis.
std::string short_label(double value) {
  const int exponent = decade(value);
  const double mantissa = value / std::pow(10, exponent);
  if (exponent >= -3 && exponent <= 4) return shown(value, std::max(0, -exponent));
  return shown(mantissa, 0) + power_label(exponent);
}

// Marks at 1, 2 and 5 times each power of ten.
Ticks few_decades(double low, double high, int at_most) {
  Ticks ticks;
  for (int n = decade(low); n <= decade(high) + 1; ++n) {
    for (int factor = 1; factor <= 9; ++factor) {
      const double value = factor * std::pow(10, n);
      if (value < low * (1 - kSlack) || value > high * (1 + kSlack)) continue;
      if (factor == 1 || factor == 2 || factor == 5) {
        ticks.major.push_back({value, short_label(value)});
      } else {
        ticks.minor.push_back(value);
      }
    }
  }
  return static_cast<int>(ticks.major.size()) <= at_most ? ticks : Ticks{};
}

}  // namespace

std::string power_label(int exponent) { return "×10<sup>" + exponent_text(exponent) + "</sup>"; }

Ticks linear_ticks(double low, double high, int at_most) {
  const double step = step_of(low, high, std::max(at_most, 2));
  const double largest = std::max(std::abs(low), std::abs(high));
  const int magnitude = decade(largest);
  Ticks ticks;
  if (magnitude >= 5 || magnitude <= -4) ticks.exponent = magnitude;
  const double unit = std::pow(10, ticks.exponent);
  const int decimals = decimals_of(step, ticks.exponent);
  const double first = std::ceil(low / step - kSlack), last = std::floor(high / step + kSlack);
  // Counted, not added up: beyond a double's digits a sum would stand still.
  for (int i = 0; i <= static_cast<int>(last - first); ++i) {
    const double value = (first + i) * step;
    ticks.major.push_back({value, shown(value / unit, decimals)});
  }
  return ticks;
}

Ticks log_ticks(double low, double high, int at_most) {
  const double decades = std::log10(high) - std::log10(low);
  if (decades < 1) {
    Ticks ticks = linear_ticks(low, high, at_most);
    std::erase_if(ticks.major, [](const Tick& tick) { return !(tick.value > 0); });
    return ticks;
  }
  if (decades < 2) {
    if (Ticks ticks = few_decades(low, high, at_most); !ticks.major.empty()) return ticks;
  }
  const int first = static_cast<int>(std::ceil(std::log10(low) - kSlack));
  const int last = static_cast<int>(std::floor(std::log10(high) + kSlack));
  const int stride = 1 + (last - first) / std::max(at_most, 2);
  Ticks ticks;
  for (int n = first; n <= last; ++n) {
    if (n % stride == 0) {
      ticks.major.push_back({std::pow(10, n), "10<sup>" + exponent_text(n) + "</sup>"});
    } else {
      ticks.minor.push_back(std::pow(10, n));
    }
  }
  for (int n = first - 1; stride == 1 && n <= last; ++n) {
    for (int factor = 2; factor <= 9; ++factor) {
      const double value = factor * std::pow(10, n);
      if (value >= low && value <= high) ticks.minor.push_back(value);
    }
  }
  std::sort(ticks.minor.begin(), ticks.minor.end());
  return ticks;
}

}  // namespace tinta::figures
