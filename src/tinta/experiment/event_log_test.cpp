#include "tinta/experiment/event_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

namespace tinta::experiment {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

// TensorBoard reads files by their names: what goes on with a run must come after what began it.
TEST(EventLog, EachFileComesAfterTheOnesBeforeItEvenWhereTheClockWasSetBack) {
  const TestFolder run;
  const fs::path tb = run.path() / "tb";
  std::vector<std::string> expected;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const EventLog log(run.path(), step);  // within one second, perhaps
    for (const std::string& name : names_in(tb)) {
      if (std::ranges::count(expected, name) == 0) expected.push_back(name);
    }
    EXPECT_EQ(names_in(tb), expected) << step;
  }
  write_file(tb / "events.out.tfevents.4000000000.elsewhere", "", Existing::refuse);
  const EventLog log(run.path(), 3);
  EXPECT_EQ(names_in(tb).back(), "events.out.tfevents.4000000001.tinta");
}

TEST(EventLog, ALineIsOneEventWithoutTheBinsThatAreEmpty) {
  const TestFolder run;
  EventLog log(run.path(), 6);
  const fs::path file = run.path() / "tb" / names_in(run.path() / "tb").at(0);
  const std::size_t before = read_bytes(file).size();
  training::MetricsLine line{.step = 7,
                             .loss = 0.5,
                             .images_per_second = 1,
                             .learning_rate = 2,
                             .gradient_norm = 3,
                             .weight_norm = 4,
                             .ema_age = 5,
                             .skipped = 2,
                             .wall_time = 1.5};
  line.loss_by_t.assign(10, std::nullopt);
  line.loss_by_t[9] = 0.75;
  log.add(line);
  const std::vector<io::EventValue> values = {io::EventScalar{"loss", 0.5},
                                              io::EventScalar{"learning_rate", 2},
                                              io::EventScalar{"gradient_norm", 3},
                                              io::EventScalar{"skipped_steps", 2},
                                              io::EventScalar{"weight_norm", 4},
                                              io::EventScalar{"ema_age", 5},
                                              io::EventScalar{"images_per_second", 1},
                                              io::EventScalar{"loss_by_t/90-100", 0.75}};
  const std::vector<std::byte> wanted = io::encode_record(io::encode_event(1.5, 7, values));
  const std::vector<std::byte> all = read_bytes(file);
  ASSERT_EQ(all.size(), before + wanted.size());
  EXPECT_TRUE(std::ranges::equal(std::span(all).subspan(before), wanted));
}

}  // namespace
}  // namespace tinta::experiment
