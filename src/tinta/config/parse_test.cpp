#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/value.h"
#include "tinta/config/visit.h"
#include "tinta/core/error.h"
#include "tinta/core/philox.h"

namespace tinta::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::string& toml) {
  try {
    static_cast<void>(parse(toml, "test.toml"));
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "no error";
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F));
  } else {
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

void arbitrary(std::string& value) {
  value.clear();
  for (const char c : *rc::gen::arbitrary<std::string>())
    append_utf8(value, static_cast<unsigned char>(c));
  // Of two, three and four bytes, none a surrogate.
  for (const std::uint32_t low : {0x80U, 0x800U, 0xE000U, 0x10000U}) {
    append_utf8(value, low + *rc::gen::inRange<std::uint32_t>(0, 0x700));
  }
}
void arbitrary(std::int64_t& value) { value = *rc::gen::arbitrary<std::int64_t>(); }
void arbitrary(std::uint64_t& value) { value = *rc::gen::arbitrary<std::uint64_t>(); }
void arbitrary(bool& value) { value = *rc::gen::arbitrary<bool>(); }
void arbitrary(std::vector<std::int64_t>& value) {
  value = *rc::gen::arbitrary<std::vector<std::int64_t>>();
}
void arbitrary(double& value) {
  // Any 64 bits: subnormals, infinities and negative zero with the rest; a NaN never equals itself.
  value = std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
  if (std::isnan(value)) value = 0.5;
}

void arbitrary(std::vector<double>& value) {
  value.resize(*rc::gen::inRange<std::size_t>(0, 4));
  for (double& number : value) arbitrary(number);
}

RunConfig arbitrary_config() {
  RunConfig config;
  for_each_field(config, [](const std::string&, auto& value) { arbitrary(value); });
  return config;
}

RC_GTEST_PROP(Parse, ReadsBackWhatToTomlWrites, ()) {
  const RunConfig config = arbitrary_config();
  RC_ASSERT(parse(to_toml(config), "round trip") == config);
}

RC_GTEST_PROP(Parse, ToTomlIsTomlEvenForBytesThatAreNotUtf8, ()) {
  RunConfig config;
  config.data.path = *rc::gen::arbitrary<std::string>();
  const RunConfig read = parse(to_toml(config), "bytes");
  RC_ASSERT(is_utf8(read.data.path));
  RC_ASSERT(is_utf8(config.data.path) == (read.data.path == config.data.path));
}

TEST(Parse, ReadsBackNotANumber) {
  RunConfig config;
  config.training.learning_rate = std::nan("");
  EXPECT_TRUE(std::isnan(parse(to_toml(config), "nan").training.learning_rate));
}

// Every mutation of a whole config either parses or throws ArgumentError; nothing else escapes.
TEST(Parse, SurvivesMutations) {
  const std::string whole = to_toml(RunConfig{});
  const std::string alphabet = "[]{}=.,\"'\\#\n\t 019-+eEinfau_\x80\xFF";
  int refused = 0;
  constexpr int kMutations = 4000;
  for (std::uint64_t sample = 0; sample < kMutations; ++sample) {
    const RandomKey key{.seed = 11, .stream = Stream::test, .sample = sample};
    std::string text = whole;
    const std::uint64_t edits = 1 + random_below(key, 4, 0);
    for (std::uint32_t edit = 0; edit < edits; ++edit) {
      const std::size_t at = random_below(key, text.size(), 3 * edit + 1);
      const char byte = alphabet[random_below(key, alphabet.size(), 3 * edit + 2)];
      switch (random_below(key, 4, 3 * edit + 3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + at % 7);
          break;
        default:
          text.resize(at + 1);
          break;
      }
    }
    try {
      static_cast<void>(parse(text, "mutation"));
    } catch (const ArgumentError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, kMutations / 10) << "mutations that break nothing test nothing";
  EXPECT_LT(refused, kMutations);
}

TEST(Parse, KeepsDefaultsOfAbsentKeys) {
  RunConfig expected;
  expected.training.batch = 64;
  EXPECT_EQ(parse("[training]\nbatch = 64\n", "x"), expected);
  EXPECT_EQ(parse("", "x"), RunConfig{});
}

TEST(Parse, TakesWholeNumbersForNumbers) {
  EXPECT_EQ(parse("[sampling]\nguidance = 2\n", "x").sampling.guidance, 2.0);
}

TEST(Parse, NamesFileLineAndColumnOfBadToml) {
  EXPECT_THAT(error_of("[training]\nbatch = = 3\n"),
              AllOf(HasSubstr("[test.toml] line 2, column"), HasSubstr("expected TOML")));
}

TEST(Parse, SuggestsTheNearestKeyAndTable) {
  EXPECT_THAT(error_of("[training]\nbacth = 3\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("\"training.bacth\""),
                    HasSubstr("did you mean \"batch\"?")));
  EXPECT_THAT(error_of("[trainning]\nbatch = 3\n"), HasSubstr("did you mean \"training\"?"));
}

TEST(Parse, SaysWhatAKeyExpectsAndWhatCame) {
  EXPECT_THAT(error_of("[training]\nbatch = \"64\"\n"),
              HasSubstr("training.batch: expected a whole number, got the text \"64\""));
  EXPECT_THAT(error_of("[training]\nseed = -1\n"),
              HasSubstr("training.seed: expected a whole number of at least 0, got the number -1"));
  EXPECT_THAT(error_of("[model]\nmultipliers = [1, 2.5]\n"),
              HasSubstr("model.multipliers: expected a list of whole numbers, got a list"));
  EXPECT_THAT(error_of("model = 3\n"), HasSubstr("model: expected a table, got the number 3"));
}

TEST(Parse, ListsEveryFaultInTheOrderOfLines) {
  const std::string error = error_of("[training]\nzzz = 1\nbatch = true\n[model]\nclasses = 1.5\n");
  EXPECT_THAT(error, HasSubstr("3 problems"));
  EXPECT_LT(error.find("line 2"), error.find("line 3"));
  EXPECT_LT(error.find("line 3"), error.find("line 5"));
}

TEST(Parse, RefusesDeepNestingAndHugeFiles) {
  std::string deep = "a";
  for (int i = 0; i < 20000; ++i) deep += ".a";
  EXPECT_THAT(error_of(deep + " = 1\n"), HasSubstr("dots"));
  EXPECT_THAT(error_of("x = " + std::string(30000, '[')), HasSubstr("expected TOML"));
  EXPECT_THAT(error_of(std::string(kMaxTomlBytes + 1, '\n')), HasSubstr("bytes of TOML"));
}

}  // namespace
}  // namespace tinta::config
