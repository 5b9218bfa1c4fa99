#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tinta/bench/advice.h"
#include "tinta/bench/commands.h"
#include "tinta/bench/doctor_report.h"
#include "tinta/bench/estimate.h"
#include "tinta/bench/machine_facts.h"
#include "tinta/bench/overfit.h"
#include "tinta/bench/steps.h"
#include "tinta/config/config.h"
#include "tinta/core/error.h"

namespace tinta::bench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

config::RunConfig with(const std::string& preset, const std::vector<std::string>& assignments) {
  config::RunConfig config = config::preset(preset);
  for (const std::string& assignment : assignments) config::set(config, assignment);
  return config;
}

std::vector<std::string> kinds(const std::vector<Advice>& advice, Severity severity) {
  std::vector<std::string> all;
  for (const Advice& one : advice) {
    if (one.severity == severity) all.push_back(one.kind);
  }
  return all;
}

std::vector<std::string> errors_of(const config::RunConfig& config) {
  return kinds(examine_config(config), Severity::error);
}

std::vector<std::string> warnings_of(const config::RunConfig& config) {
  return kinds(examine_config(config), Severity::warning);
}

TEST(ExamineConfig, FindsNothingThatWouldSpoilAPreset) {
  for (const std::string& name : config::preset_names()) {
    EXPECT_THAT(errors_of(config::preset(name)), IsEmpty()) << name;
    EXPECT_THAT(warnings_of(config::preset(name)), Not(Contains("terminal-snr"))) << name;
    EXPECT_THAT(warnings_of(config::preset(name)), Not(Contains("padding"))) << name;
  }
}

// sqrt(alpha_bar_T) is exp(-sum of betas / 2) nearly: 0.61 for 100 steps of Ho et al.'s betas,
// 0.081 for 500.
TEST(ExamineConfig, BetasMadeForAThousandStepsLeaveThePictureInFewer) {
  const config::RunConfig few = with("glyphs", {"process.steps=100", "sampling.steps=50"});
  EXPECT_THAT(errors_of(few), ElementsAre("terminal-snr"));
  const Advice told = examine_config(few).front();
  EXPECT_THAT(told.text, HasSubstr("0.603"));
  EXPECT_THAT(told.text, HasSubstr("made for 1000 steps, and there are 100"));
  EXPECT_THAT(warnings_of(with("glyphs", {"process.steps=500"})), Contains("terminal-snr"));
  EXPECT_THAT(warnings_of(with("glyphs", {"process.steps=1000"})), Not(Contains("terminal-snr")));
}

// What is advised must be good advice.
TEST(ExamineConfig, WhatItAdvisesForAnotherNumberOfStepsFindsNothingMore) {
  for (const std::string steps : {"50", "100", "250", "500", "4000"}) {
    const std::string number = "process.steps=" + steps;
    const config::RunConfig asked = with("glyphs", {number, "sampling.steps=20"});
    const auto found = examine_config(asked);
    ASSERT_FALSE(found.empty()) << steps;
    config::RunConfig advised = asked;
    std::istringstream words(found.front().remedy);
    for (std::string word; words >> word;) {
      if (word.starts_with("process.beta")) config::set(advised, word.substr(0, word.find(',')));
    }
    EXPECT_NE(advised, asked) << steps;
    EXPECT_THAT(examine_config(advised), IsEmpty()) << steps;
    EXPECT_THAT(
        examine_config(with("glyphs", {number, "sampling.steps=20", "process.schedule=cosine"})),
        IsEmpty())
        << steps;
  }
}

TEST(ExamineConfig, StepsOfPureNoiseAreWasted) {
  EXPECT_THAT(warnings_of(with("glyphs", {"process.steps=4000"})), ElementsAre("wasted-steps"));
  EXPECT_THAT(warnings_of(with("glyphs", {"process.beta_start=0.015"})), Contains("first-step"));
}

TEST(ExamineConfig, BrokenRulesAreToldAloneAndEachOfThem) {
  const auto found =
      examine_config(with("glyphs", {"model.groups=5", "model.head_dim=7", "process.steps=100"}));
  EXPECT_GE(found.size(), 2u);
  for (const Advice& one : found) EXPECT_EQ(one.kind, "config") << one.text;
  EXPECT_FALSE(sound(found));
  EXPECT_THAT(found.front().text, HasSubstr("model.groups = 5"));
  EXPECT_THAT(found.front().remedy, HasSubstr("--set model.channels="));
}

TEST(ExamineConfig, SizesThatTheLevelsDoNotHalveEvenly) {
  const auto sized = [](const char* size, const char* multipliers) {
    return with("glyphs", {size, multipliers, "model.attention_levels="});
  };
  EXPECT_THAT(warnings_of(sized("data.size=28", "model.multipliers=1,2,2")), IsEmpty());
  EXPECT_THAT(warnings_of(sized("data.size=30", "model.multipliers=1,2,2")),
              ElementsAre("padding"));
  EXPECT_THAT(warnings_of(sized("data.size=32", "model.multipliers=1,1,1,1,1,1")),
              ElementsAre("deepest-level"));
  EXPECT_THAT(warnings_of(with("glyphs", {"data.size=64", "model.attention_levels=0"})),
              ElementsAre("attention"));
}

TEST(ExamineConfig, KeysOfTrainingThatContradictOthers) {
  EXPECT_THAT(warnings_of(with("glyphs", {"training.warmup_steps=500", "training.steps=500"})),
              Contains("warm-up"));
  EXPECT_THAT(errors_of(with("glyphs", {"training.class_dropout=0", "sampling.guidance=2"})),
              ElementsAre("null-class"));
  EXPECT_THAT(errors_of(with("glyphs", {"training.class_dropout=0", "sampling.guidance=1"})),
              IsEmpty());
  EXPECT_THAT(errors_of(with("glyphs", {"training.class_dropout=1"})),
              ElementsAre("classes-dropped"));
  EXPECT_THAT(warnings_of(with("glyphs", {"training.checkpoint_every=0"})),
              ElementsAre("no-checkpoints"));
}

TEST(ExamineData, TellsWhatTheDoctorOfDataFoundAndWhatDoesNotFitTheConfig) {
  const config::RunConfig config = with("folder", {"model.classes=3", "training.batch=64"});
  data::Examination seen{.source = "folder", .format = "pictures"};
  seen.splits = {{.name = "train",
                  .count = 50,
                  .readable = 40,
                  .class_names = {"a", "b"},
                  .class_counts = {20, 20}}};
  seen.findings = {{.severity = data::Severity::error, .kind = "unreadable", .text = "10 of 50"}};
  const auto found = examine_data(config, "my photos", seen);
  EXPECT_THAT(kinds(found, Severity::error), ElementsAre("data-unreadable", "data-classes"));
  EXPECT_THAT(kinds(found, Severity::warning), ElementsAre("data-few"));
  EXPECT_THAT(found[0].remedy, HasSubstr("tinta data doctor 'my photos'"));
  EXPECT_THAT(found[1].remedy, HasSubstr("model.classes=2"));
  seen.source = "mnist";
  EXPECT_THAT(kinds(examine_data(config, "x", seen), Severity::error), Contains("data-source"));
}

// Time and memory of a batch are a part that is always there, and one for each picture.
TEST(Extended, FollowsALineThroughBothAndNeverFalls) {
  const auto value = [](std::int64_t batch) { return 0.5 + 0.25 * static_cast<double>(batch); };
  EXPECT_DOUBLE_EQ(extended({8, value(8)}, {4, value(4)}, 128), value(128));
  EXPECT_DOUBLE_EQ(extended({8, 3}, {0, 0}, 8), 3);
  EXPECT_DOUBLE_EQ(extended({1, 3}, {0, 0}, 32), 96);
  EXPECT_DOUBLE_EQ(extended({8, 3}, {4, 3.5}, 128), 3);
}

config::RunConfig tiny() {
  return with("glyphs", {"model.channels=8", "model.groups=4", "model.multipliers=1,1",
                         "model.attention_levels=1", "training.batch=4", "training.precision=fp32",
                         "data.size=8", "data.count=64", "training.steps=1000",
                         "training.sample_every=500", "sampling.steps=20", "sampling.guidance=2",
                         "training.checkpoint_every=100", "training.keep_checkpoints=3"});
}

TEST(EstimateRun, CountsStepsPreviewsAndCheckpoints) {
  const Estimate run = estimate_run(tiny(), {}, 1e12, {}, {});
  EXPECT_EQ(run.timed_batch, 4);
  EXPECT_EQ(run.timed_smaller_batch, 0);
  EXPECT_THAT(basis(run), HasSubstr("own batch of 4"));
  // Two previews of 40 pictures in 20 steps, guided, each a third of a picture's training step.
  EXPECT_NEAR(run.preview_seconds, 2 * 40 * 20 * 2 * run.seconds_per_step / 4 / 3,
              1e-9 * run.seconds);
  EXPECT_NEAR(run.seconds, 1000 * run.seconds_per_step + run.preview_seconds, 1e-9 * run.seconds);
  EXPECT_NEAR(run.checkpoint_mebibytes, 16.0 * static_cast<double>(run.parameters) / (1 << 20),
              1e-9);
  EXPECT_NEAR(run.disk_mebibytes, 4 * run.checkpoint_mebibytes, 1e-9);
  EXPECT_GT(run.mebibytes, run.checkpoint_mebibytes);
}

TEST(EstimateRun, ASlowMachineIsTimedWithFewerPicturesAndIsNoFasterThanItsRoof) {
  config::RunConfig config = tiny();
  config.training.batch = 64;
  // So few operations a second that a step of 8 pictures would take a second.
  const double per_image = estimate_run(tiny(), {}, 1e12, {}, {}).gflop_per_image * 1e9;
  const double peak = 8.5 * per_image / 0.4;
  const Estimate run = estimate_run(config, {}, peak, {}, {});
  EXPECT_EQ(run.timed_batch, 8);
  EXPECT_EQ(run.timed_smaller_batch, 2);
  EXPECT_TRUE(run.by_roof);
  EXPECT_NEAR(run.seconds_per_step, 64 * per_image / peak, 1e-9 * run.seconds_per_step);
  EXPECT_THAT(basis(run), HasSubstr("roof"));
  const Estimate few = estimate_run(config, {}, peak / 100, {}, {});
  EXPECT_EQ(few.timed_batch, 4);
  EXPECT_EQ(few.timed_smaller_batch, 1);
}

TEST(Basis, TellsWhatWasTimed) {
  EXPECT_EQ(basis({.batch = 64, .timed_batch = 8, .timed_smaller_batch = 2}),
            "timed at batches of 2 and 8, extended to 64");
}

TEST(ExamineEstimate, ComparesWhatIsNeededWithWhatIsThere) {
  const MachineFacts facts{
      .memory_mebibytes = 4000, .memory_available_mebibytes = 3000, .disk_free_mebibytes = 1000};
  const config::RunConfig config = tiny();
  const auto found = [&](const Estimate& estimate, Place place) {
    return examine_estimate(estimate, facts, config, place);
  };
  const Estimate fits{.seconds_per_step = 1, .mebibytes = 2999, .disk_mebibytes = 999};
  EXPECT_THAT(found(fits, Place::cpu), IsEmpty());
  Estimate large = fits;
  large.mebibytes = 3500;
  EXPECT_THAT(kinds(found(large, Place::cpu), Severity::warning), ElementsAre("memory"));
  EXPECT_THAT(found(large, Place::gpu), IsEmpty());
  large.mebibytes = 4500;
  large.disk_mebibytes = 1001;
  EXPECT_THAT(kinds(found(large, Place::cpu), Severity::error), ElementsAre("memory", "disk"));
  Estimate slow = fits;
  slow.seconds_per_step = 60;  // a hundred steps between two checkpoints
  EXPECT_THAT(found(slow, Place::cpu).at(0).remedy, HasSubstr("checkpoint_every=10"));
}

TEST(OverfitTest, ANetworkLearnsOneBatchByHeartAndOneWithoutARateDoesNot) {
  config::RunConfig config = tiny();
  config.training.learning_rate = 5e-3;
  const data::Dataset dataset = data::open(config.data, data::Split::train);
  const Overfit learnt = overfit(config, {}, dataset, 150, {}, {});
  EXPECT_EQ(learnt.pictures, 4);
  EXPECT_EQ(learnt.steps, 150);
  EXPECT_NEAR(learnt.first, 1, 0.5);  // of a network that predicts nothing
  EXPECT_TRUE(learnt.passed()) << learnt.first << " to " << learnt.last;
  config.training.learning_rate = 1e-12;
  const Overfit stuck = overfit(config, {}, dataset, 20, {}, {});
  EXPECT_FALSE(stuck.passed());
  EXPECT_NEAR(stuck.last, stuck.first, 1e-5);
}

TEST(OverfitTest, ARateBeyondReasonEndsAtTheFirstLossThatIsNotFinite) {
  config::RunConfig config = tiny();
  config.training.learning_rate = 1e30;
  config.training.clip_norm = 0;
  const data::Dataset dataset = data::open(config.data, data::Split::train);
  const Overfit lost = overfit(config, {}, dataset, 50, {}, {});
  EXPECT_LT(lost.steps, 50);
  EXPECT_FALSE(lost.passed());
  EXPECT_FALSE(std::isfinite(lost.last));
}

TEST(OverfitTest, PicturesOfAnotherKindAreRefused) {
  const config::RunConfig config = tiny();
  EXPECT_THROW(overfit(config, {}, made_up({.channels = 3, .height = 8, .width = 8}, 0), 1, {}, {}),
               ArgumentError);
  EXPECT_THROW(
      overfit(config, {}, made_up({.channels = 1, .height = 8, .width = 8}, 11), 1, {}, {}),
      ArgumentError);
}

TEST(ProcText, ValuesAreFoundByTheirNames) {
  const std::string text =
      "processor\t: 0\nmodel name\t: A: fast one\nMemTotal:       16384 kB\nflags\t\t: fpu avx2\n";
  EXPECT_EQ(proc_value(text, "model name"), "A: fast one");
  EXPECT_EQ(proc_value(text, "flags"), "fpu avx2");
  EXPECT_EQ(proc_value(text, "model"), "");
  EXPECT_EQ(proc_mebibytes(text, "MemTotal"), 16);
  EXPECT_EQ(proc_mebibytes(text, "flags"), 0);
  EXPECT_EQ(proc_mebibytes(text, "MemFree"), 0);
}

TEST(MachineFactsTest, ThisMachineHasCoresMemoryAndDisk) {
  const MachineFacts facts = machine_facts("/no/such/folder/yet");
  EXPECT_GE(facts.cores, 1);
  EXPECT_GE(facts.threads, 1);
  EXPECT_GT(facts.memory_mebibytes, 100);
  EXPECT_GT(facts.memory_available_mebibytes, 0);
  EXPECT_LE(facts.memory_available_mebibytes, facts.memory_mebibytes);
  EXPECT_GT(facts.disk_free_mebibytes, 0);
  EXPECT_FALSE(facts.gpu.empty());
}

TEST(LibraryVersions, EachHasANumber) {
  for (const auto& [name, version] : library_versions()) {
    if (name == "oneDNN") continue;
    EXPECT_THAT(version, testing::MatchesRegex("[0-9]+\\.[0-9]+.*")) << name;
  }
}

DoctorReport report_with(const std::vector<Advice>& advice) {
  return {.facts = {.cpu = "a processor", .cores = 2, .threads = 2, .gpu = "none: why"},
          .libraries = {{"zlib", "1.2"}},
          .fp32 = 5e11,
          .triad = 4e10,
          .advice = advice};
}

TEST(DoctorReportTest, EachFindingIsALineWithWhatToDo) {
  const std::string text = as_text(report_with(
      {{Severity::error, "kind", "this is so", "do that"}, {Severity::warning, "k", "b", "c"}}));
  EXPECT_THAT(text, HasSubstr("\nerror: this is so: do that\nwarning: b: c\n"));
  EXPECT_THAT(text, HasSubstr("500 GFLOP/s in fp32"));
  EXPECT_THAT(as_text(report_with({})), HasSubstr("nothing to complain of\n"));
}

TEST(DoctorReportTest, JsonHoldsWhatTheTextSays) {
  const auto json = nlohmann::json::parse(
      as_json(report_with({{Severity::error, "kind", "this is so", "do that"}})));
  EXPECT_EQ(json.at("ok"), false);
  EXPECT_EQ(json.at("run"), nullptr);
  EXPECT_EQ(json.at("overfit"), nullptr);
  EXPECT_EQ(json.at("libraries").at("zlib"), "1.2");
  EXPECT_EQ(json.at("findings").at(0).at("kind"), "kind");
  EXPECT_EQ(json.at("roof").at("bf16_gflops"), nullptr);
  EXPECT_NEAR(json.at("roof").at("fp32_gflops").get<double>(), 500, 1e-9);
}

}  // namespace
}  // namespace tinta::bench
