#include "tinta/cli/run_table.h"

#include <gtest/gtest.h>

#include <string>

namespace tinta::cli {
namespace {

TEST(SizeText, TakesTheUnitInWhichThereIsLessThanAThousandOfIt) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(size_text(std::uint64_t{5} << 30), "5.0 GiB");
}

TEST(RunTable, HasAlignedColumnsAndThenWhatIsWrong) {
  using config::RunState;
  EXPECT_EQ(run_table({{.path = "runs/a",
                        .state = RunState::running,
                        .step = 12345,
                        .share = 0.999,
                        .loss = 0.03125,
                        .images_per_second = 612.4,
                        .bytes = 3 << 20,
                        .checkpoint = 12000},
                       {.path = "runs/long", .state = RunState::damaged, .problem = "broken"}}),
            "run          state  done   step    loss  img/s     size  checkpoint\n"
            "runs/a     running   99%  12345  0.0312    612  3.0 MiB       12000\n"
            "runs/long  damaged     -      0       -      -      0 B           -\n"
            "runs/long: broken\n");
}

TEST(LogTable, HeadsMetricsAndHeadsThemAgainAfterALineOfTheLog) {
  const config::RunLine metrics{
      R"({"step":50,"loss":0.125,"images_per_second":80.4,"learning_rate":2e-4,)"
      R"("gradient_norm":0.5,"seconds":75})",
      ""};
  const config::RunLine log{R"({"level":"info","text":"going on from step-00000040"})",
                            "2026-01-01T00:00:00.750Z"};
  const std::string head =
      "     step      loss    img/s      rate  gradient   weights       trained\n";
  const std::string row =
      "       50   0.12500       80  2.00e-04    0.5000         -    1 min 15 s\n";
  LogTable table;
  EXPECT_EQ(table.row(metrics), head + row);
  EXPECT_EQ(table.row(metrics), row);
  EXPECT_EQ(table.row(log), "2026-01-01T00:00:00Z  going on from step-00000040\n");
  EXPECT_EQ(table.row(metrics), head + row);
  EXPECT_EQ(table.row({R"({"level":"warning","text":"damaged"})", "T"}), "T  warning: damaged\n");
  EXPECT_EQ(table.row({R"({"neither":1})", "T"}), "");
}

}  // namespace
}  // namespace tinta::cli
