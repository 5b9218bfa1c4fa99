#include "tinta/lab/words.h"

#include <array>
#include <cstdio>

namespace tinta::lab {

std::string brief(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

}  // namespace tinta::lab
