#include "tinta/training/recorded_step.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/kernels/random.h"
#include "tinta/training/test_support.h"
#include "tinta/training/update.h"

namespace tinta::training {
namespace {

// A graph without a GPU: to play is to do the work again. What is recorded is not done, and what is
// played sees nothing new but what was written to memory, as with CUDA's.
class Rehearsal : public kernels::StepGraph {
 public:
  struct Counts {
    int records = 0;
    int plays = 0;
  };

  explicit Rehearsal(Counts& counts, bool refuses = false) : counts_(counts), refuses_(refuses) {}

  void run(const std::function<void()>& work) override { work(); }
  void record(const std::function<void()>& work) override {
    if (refuses_) throw std::runtime_error("operation not permitted when stream is capturing");
    ++counts_.records;
    work_ = work;
  }
  void play() override {
    ++counts_.plays;
    work_();
  }

 private:
  Counts& counts_;
  bool refuses_;
  std::function<void()> work_;
};

// Drops a third of the output by the masks that a network would draw.
at::Tensor with_dropout(const at::Tensor& out, const Line& line) {
  at::Tensor mask = at::empty(out.sizes());
  const process::TrainingPass& given = *line.last.training;
  const RandomKey key{
      .seed = given.seed, .stream = Stream::dropout, .sample = given.first_sample, .step = 0};
  if (given.samples.defined()) {
    kernels::fill_dropout(mask, key, given.samples, 0.3);
  } else {
    kernels::fill_dropout(mask, key, 0.3);
  }
  return out * mask;
}

// A toy, its optimiser and its batches.
struct Toy {
  explicit Toy(at::ScalarType dtype = at::kFloat) : run(3, dtype) {
    run.config.class_dropout = 0.3;
    run.config.clip_norm = 0.5;
    run.network.spoil = with_dropout;
  }
  [[nodiscard]] data::Batch batch(std::uint64_t step) const { return loader.batch(step); }
  StepParts parts() { return {run.network, run.schedule, run.config, optimizer}; }

  TinyRun run;
  Optimizer optimizer{run.network, run.state};
  data::Loader loader{run.dataset, run.config.batch, 0};
};

struct RecordedCase {
  at::ScalarType dtype;
  std::int64_t parts;  // of a batch
};

class RecordedStepIn : public testing::TestWithParam<RecordedCase> {};

TEST_P(RecordedStepIn, GivesTheBitsOfPlainSteps) {
  Toy plain(GetParam().dtype);
  Toy played(GetParam().dtype);
  plain.run.config.accumulate = played.run.config.accumulate = GetParam().parts;
  plain.run.state.loss_scale = played.run.state.loss_scale = {.value = 128};
  Rehearsal::Counts counts;
  Update update(plain.run.network, plain.run.schedule, plain.run.config, plain.optimizer,
                dist::Group::alone());
  const auto recorded = make_recorded_step(played.parts(), std::make_unique<Rehearsal>(counts));
  for (std::uint64_t step = 0; step < 12; ++step) {
    const double rate = 1e-2 / static_cast<double>(step + 1);
    const UpdateValues wanted = update.run(plain.batch(step), rate);
    const UpdateValues got = recorded->run(played.batch(step), rate);
    EXPECT_EQ(got.loss, wanted.loss) << step;
    EXPECT_EQ(got.gradient_norm, wanted.gradient_norm) << step;
    EXPECT_EQ(got.levels, wanted.levels) << step;
    EXPECT_GT(got.gradient_norm, 0) << step;
  }
  expect_same_state(played.run.state, plain.run.state);
  EXPECT_TRUE(same_bits(played.run.network.scale, plain.run.network.scale));
  EXPECT_EQ(counts.records, 1);
  EXPECT_EQ(counts.plays, 9);
  EXPECT_EQ(recorded->take_note(), "");
}

INSTANTIATE_TEST_SUITE_P(Cases, RecordedStepIn,
                         testing::Values(RecordedCase{at::kFloat, 1}, RecordedCase{at::kFloat, 2},
                                         RecordedCase{at::kFloat, 4}, RecordedCase{at::kHalf, 1},
                                         RecordedCase{at::kHalf, 2}));

TEST(RecordedStep, GoesOnPlainlyAndSaysSoWhereNothingCanBeRecorded) {
  Toy plain;
  Toy refused;
  Rehearsal::Counts counts;
  Update update(plain.run.network, plain.run.schedule, plain.run.config, plain.optimizer,
                dist::Group::alone());
  const auto recorded =
      make_recorded_step(refused.parts(), std::make_unique<Rehearsal>(counts, true));
  for (std::uint64_t step = 0; step < 6; ++step) {
    update.run(plain.batch(step), 1e-2);
    recorded->run(refused.batch(step), 1e-2);
  }
  expect_same_state(refused.run.state, plain.run.state);
  EXPECT_EQ(counts.plays, 0);
  EXPECT_THAT(recorded->take_note(), testing::HasSubstr("stream is capturing"));
  EXPECT_EQ(recorded->take_note(), "") << "said once";
}

// Once with a gradient that is not finite either, once by a square that alone overflows.
class RecordedStepWithOutput : public testing::TestWithParam<float> {};

TEST_P(RecordedStepWithOutput, ChangesNothingWhereTheLossIsNotFinite) {
  Toy toy;
  bool broken = false;
  toy.run.network.spoil = [&](const at::Tensor& out, const Line&) {
    return broken ? out + GetParam() : out;
  };
  Rehearsal::Counts counts;
  const auto recorded = make_recorded_step(toy.parts(), std::make_unique<Rehearsal>(counts));
  for (std::uint64_t step = 0; step < 5; ++step) recorded->run(toy.batch(step), 1e-2);
  const at::Tensor before = toy.run.state.parameters[0].master.clone();
  broken = true;
  const UpdateValues values = recorded->run(toy.batch(5), 1e-2);
  EXPECT_FALSE(std::isfinite(values.loss));
  EXPECT_EQ(toy.run.state.step, 5u);
  EXPECT_TRUE(same_bits(toy.run.state.parameters[0].master, before));
}

INSTANTIATE_TEST_SUITE_P(Outputs, RecordedStepWithOutput,
                         testing::Values(std::numeric_limits<float>::infinity(), 2e19f));

TEST(RecordedStep, RefusesABatchOfAnotherSize) {
  Toy toy;
  Rehearsal::Counts counts;
  const auto recorded = make_recorded_step(toy.parts(), std::make_unique<Rehearsal>(counts));
  recorded->run(toy.batch(0), 1e-2);
  data::Batch shorter = toy.batch(1);
  shorter.x0 = shorter.x0.slice(0, 0, 2);
  shorter.labels = shorter.labels.slice(0, 0, 2);
  EXPECT_THROW(recorded->run(shorter, 1e-2), ArgumentError);
}

TEST(RecordedStep, IsNotThereWithoutAGraph) {
  Toy toy;
  EXPECT_EQ(make_recorded_step(toy.parts(), nullptr), nullptr);
}

}  // namespace
}  // namespace tinta::training
