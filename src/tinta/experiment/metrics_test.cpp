#include "tinta/experiment/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tinta/config/names.h"

namespace tinta::experiment {
namespace {

TEST(Metrics, NamesAreThoseThatTheFrontKnows) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics()) names.emplace_back(metric.name);
  EXPECT_EQ(names, config::metric_names());
}

}  // namespace
}  // namespace tinta::experiment
