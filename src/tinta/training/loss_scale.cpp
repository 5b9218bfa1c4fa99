#include "tinta/training/loss_scale.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tinta::training {

void LossScale::begin(c10::ScalarType dtype) {
  if (dtype != c10::ScalarType::Half) {
    *this = {};
  } else if (value <= 0) {
    *this = {.value = kFirst, .good = 0};
  }
}

void LossScale::count_taken() {
  if (value <= 0 || ++good < kGrowAfter) return;
  value = std::min(2 * value, kMost);
  good = 0;
}

bool LossScale::lower() {
  if (value <= 1) return false;
  value /= 2;
  good = 0;
  return true;
}

nlohmann::json to_json(const LossScale& scale) {
  return {{"value", scale.value}, {"good", scale.good}};
}

LossScale loss_scale_from(const nlohmann::json& json) {
  return {.value = json.value("value", 0.0), .good = json.value("good", std::uint64_t{0})};
}

}  // namespace tinta::training
