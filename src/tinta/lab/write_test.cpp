#include "tinta/lab/write.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "tinta/config/lab_rows.h"
#include "tinta/core/error.h"

namespace tinta::lab {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Check check(double value, Comparison comparison) {
  return {.what = "x", .value = value, .expected = 2, .tolerance = 0.5, .comparison = comparison};
}

TEST(Check, EachComparisonHoldsUpToItsTolerance) {
  EXPECT_TRUE(check(2.5, Comparison::within).pass());
  EXPECT_FALSE(check(2.6, Comparison::within).pass());
  EXPECT_FALSE(check(1.4, Comparison::within).pass());
  EXPECT_TRUE(check(-9, Comparison::at_most).pass());
  EXPECT_TRUE(check(2.5, Comparison::at_most).pass());
  EXPECT_FALSE(check(2.6, Comparison::at_most).pass());
  EXPECT_TRUE(check(9, Comparison::at_least).pass());
  EXPECT_FALSE(check(1.4, Comparison::at_least).pass());
}

TEST(Check, WhatIsNotANumberNeverPasses) {
  for (const Comparison comparison :
       {Comparison::within, Comparison::at_most, Comparison::at_least}) {
    EXPECT_FALSE(check(kNan, comparison).pass());
  }
}

TEST(Status, ARowThatShowsNothingFails) {
  EXPECT_EQ(status_of({}), Status::fail);
  EXPECT_EQ(status_of({.skipped = "no run"}), Status::skip);
  EXPECT_EQ(status_of({.checks = {check(2, Comparison::within)}}), Status::pass);
  EXPECT_EQ(status_of({.checks = {check(2, Comparison::within), check(9, Comparison::within)}}),
            Status::fail);
}

TEST(Json, WhatIsNotFiniteIsNull) {
  const Result result{.checks = {check(kNan, Comparison::within)}, .numbers = {{"rate", kNan}}};
  const auto json = nlohmann::json::parse(to_json("posterior", {.seed = 7}, result));
  EXPECT_EQ(json.at("status"), "fail");
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_TRUE(json.at("checks").at(0).at("value").is_null());
  EXPECT_TRUE(json.at("numbers").at("rate").is_null());
  EXPECT_EQ(json.at("files"), nlohmann::json({"posterior.json"}));
}

TEST(WriteResult, NothingIsReplacedUnasked) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "tinta-lab-write";
  std::filesystem::remove_all(folder);
  Result result{.checks = {check(2, Comparison::within)}, .arrays = {{"x", at::ones({2})}}};
  write_result(folder, "posterior", {}, result, Existing::refuse);
  EXPECT_TRUE(std::filesystem::exists(folder / "posterior.npz"));
  EXPECT_THROW(write_result(folder, "posterior", {}, result, Existing::refuse), ArgumentError);
  EXPECT_NO_THROW(write_result(folder, "posterior", {}, result, Existing::replace));
  std::filesystem::remove_all(folder);
}

TEST(Rows, PeopleAndProgramKnowTheSameOnesInOneOrder) {
  std::vector<std::string> names;
  for (const Row& row : rows()) names.push_back(row.name);
  EXPECT_EQ(names, config::lab_row_names());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(Rows, AnUnknownNameSuggestsTheNearest) {
  try {
    (void)find_row("posteriour");
    FAIL() << "expected an error";
  } catch (const ArgumentError& error) {
    EXPECT_NE(std::string(error.what()).find("posterior"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tinta::lab
