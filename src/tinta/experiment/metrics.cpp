#include "tinta/experiment/metrics.h"

#include <array>

namespace tinta::experiment {

std::span<const Metric> metrics() {
  static constexpr std::array<Metric, 1> kMetrics = {{{"recognised", prepare_recognised}}};
  return kMetrics;
}

}  // namespace tinta::experiment
