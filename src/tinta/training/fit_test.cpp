#include "tinta/training/fit.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/data/loader.h"
#include "tinta/training/test_support.h"

namespace tinta::training {
namespace {

TEST(Fit, IsTrainWithoutARunFolderBitForBit) {
  TinyRun run;
  run.config.steps = 25;
  run.config.ema_decay = 0.9;
  run.train(25);

  Line network;
  const data::Loader loader(run.dataset, run.config.batch, run.config.seed);
  std::vector<double> losses;
  const TrainingState state =
      fit({.network = network,
           .schedule = run.schedule,
           .config = run.config,
           .samples =
               [&](std::uint64_t first, std::int64_t count) {
                 return loader.batch(first / static_cast<std::uint64_t>(count)).x0;
               },
           .after_step = [&](std::int64_t, double loss) { losses.push_back(loss); }});
  EXPECT_TRUE(std::ranges::equal(state.parameters, run.state.parameters, same_parameter));
  EXPECT_EQ(state.step, run.state.step);
  EXPECT_EQ(state.images, run.state.images);
  EXPECT_EQ(losses.size(), 25U);
  EXPECT_TRUE(same_bits(network.scale, state.parameters[0].ema)) << "the average is left in it";
}

TEST(Fit, WithoutAnAverageLeavesTheLastWeights) {
  Line network;
  const process::VpSchedule schedule(std::vector<double>{0.3});
  const config::TrainingConfig config{.steps = 5, .batch = 4, .ema_decay = 0};
  const TrainingState state = fit({.network = network,
                                   .schedule = schedule,
                                   .config = config,
                                   .samples = [](std::uint64_t, std::int64_t count) {
                                     return at::ones({count, 1, 1, 1});
                                   }});
  EXPECT_TRUE(same_bits(network.scale, state.parameters[0].master));
}

TEST(Fit, StopsWhereItIsAskedTo) {
  Line network;
  const process::VpSchedule schedule(std::vector<double>{0.3});
  const config::TrainingConfig config{.steps = 1000, .batch = 4};
  int asked = 0;
  const TrainingState state = fit({.network = network,
                                   .schedule = schedule,
                                   .config = config,
                                   .samples =
                                       [](std::uint64_t, std::int64_t count) {
                                         return at::ones({count, 1, 1, 1});
                                       },
                                   .stop = [&] { return ++asked > 3; }});
  EXPECT_EQ(state.step, 3U);
}

TEST(Fit, NamesTheStepThatIsNotFinite) {
  Line network;
  const process::VpSchedule schedule(std::vector<double>{0.3});
  const config::TrainingConfig config{.steps = 10, .batch = 4};
  const auto body = [&] {
    fit({.network = network,
         .schedule = schedule,
         .config = config,
         .samples = [](std::uint64_t first, std::int64_t count) {
           const double value = first < 8 ? 1 : std::numeric_limits<double>::quiet_NaN();
           return at::full({count, 1, 1, 1}, value, at::kFloat);
         }});
  };
  const std::string message = message_of<NonFiniteError>(body);
  EXPECT_NE(message.find("[fit] step 3: expected a finite loss"), std::string::npos) << message;
}

}  // namespace
}  // namespace tinta::training
