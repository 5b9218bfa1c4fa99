#include "tinta/dist/seat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tinta/core/error.h"

namespace tinta::dist {
namespace {

using Values = std::map<std::string, std::string>;
using testing::HasSubstr;

Seat seat(const Values& values) {
  return seat_from([&](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  });
}

TEST(Seat, IsOfOneProcessWhereNoLauncherLeftAnything) {
  EXPECT_EQ(seat({}), Seat{});
  EXPECT_EQ(seat({{"MASTER_ADDR", "elsewhere"}, {"LOCAL_RANK", "3"}}), Seat{});
}

TEST(Seat, IsWhatTorchrunSays) {
  const Values torchrun = {{"RANK", "5"},
                           {"WORLD_SIZE", "8"},
                           {"LOCAL_RANK", "1"},
                           {"LOCAL_WORLD_SIZE", "4"},
                           {"MASTER_ADDR", "node-0"},
                           {"MASTER_PORT", "41000"},
                           {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                           {"TORCHELASTIC_RESTART_COUNT", "2"}};
  EXPECT_EQ(seat(torchrun), (Seat{.rank = 5,
                                  .size = 8,
                                  .local_rank = 1,
                                  .address = "node-0",
                                  .port = 41000,
                                  .store_is_launchers = true,
                                  .attempt = "2"}));
}

TEST(Seat, OfPlainVariablesServesItsOwnStoreOnTheUsualPort) {
  EXPECT_EQ(seat({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "::1"}}),
            (Seat{.rank = 0, .size = 2, .local_rank = {}, .address = "::1", .port = kDefaultPort}));
  EXPECT_FALSE(seat({{"RANK", "0"},
                     {"WORLD_SIZE", "2"},
                     {"MASTER_ADDR", "a"},
                     {"TORCHELASTIC_USE_AGENT_STORE", "False"}})
                   .store_is_launchers);
}

TEST(Seat, IsWhatMpiLaunchersSay) {
  const Seat wanted{
      .rank = 2, .size = 3, .local_rank = 1, .address = "10.0.0.7", .port = 29500, .attempt = "0"};
  EXPECT_EQ(seat({{"OMPI_COMM_WORLD_RANK", "2"},
                  {"OMPI_COMM_WORLD_SIZE", "3"},
                  {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                  {"MASTER_ADDR", "10.0.0.7"}}),
            wanted);
  EXPECT_EQ(seat({{"PMI_RANK", "2"},
                  {"PMI_SIZE", "3"},
                  {"MPI_LOCALRANKID", "1"},
                  {"MASTER_ADDR", "10.0.0.7"}}),
            wanted);
}

TEST(Seat, OfOneProcessNeedsNoMeetingPlace) {
  EXPECT_EQ(seat({{"RANK", "0"}, {"WORLD_SIZE", "1"}}), Seat{});
  EXPECT_EQ(seat({{"PMI_RANK", "0"}, {"PMI_SIZE", "1"}}), Seat{});
}

// A program under torchrun that mpirun started in turn, or the other way round.
TEST(Seat, FollowsPlainVariablesBeforeThoseOfMpi) {
  EXPECT_EQ(seat({{"RANK", "1"},
                  {"WORLD_SIZE", "2"},
                  {"OMPI_COMM_WORLD_RANK", "0"},
                  {"OMPI_COMM_WORLD_SIZE", "1"},
                  {"MASTER_ADDR", "a"}})
                .rank,
            1);
}

struct Wrong {
  Values values;
  std::string named;
};

class WrongSeat : public testing::TestWithParam<Wrong> {};

TEST_P(WrongSeat, IsRefusedByName) {
  Values values = GetParam().values;
  values.emplace("MASTER_ADDR", "a");
  if (values["MASTER_ADDR"].empty()) values.erase("MASTER_ADDR");
  try {
    seat(values);
    FAIL() << "expected an error that names " << GetParam().named;
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("[" + GetParam().named + "] expected"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Values, WrongSeat,
    testing::Values(
        Wrong{{{"RANK", "0"}}, "WORLD_SIZE"}, Wrong{{{"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", "2"}, {"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", "-1"}, {"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", "1x"}, {"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", "1.0"}, {"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", " 1"}, {"WORLD_SIZE", "2"}}, "RANK"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "0"}}, "WORLD_SIZE"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "two"}}, "WORLD_SIZE"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "4097"}}, "WORLD_SIZE"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "99999999999999999999"}}, "WORLD_SIZE"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "2"}}, "LOCAL_RANK"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "0"}}, "MASTER_PORT"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "65536"}}, "MASTER_PORT"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "http"}}, "MASTER_PORT"},
        Wrong{{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", ""}}, "MASTER_ADDR"},
        Wrong{{{"OMPI_COMM_WORLD_RANK", "0"}}, "OMPI_COMM_WORLD_SIZE"},
        Wrong{{{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_SIZE", "3"}},
              "OMPI_COMM_WORLD_RANK"},
        Wrong{{{"OMPI_COMM_WORLD_RANK", "0"},
               {"OMPI_COMM_WORLD_SIZE", "2"},
               {"OMPI_COMM_WORLD_LOCAL_RANK", "x"}},
              "OMPI_COMM_WORLD_LOCAL_RANK"},
        Wrong{{{"PMI_SIZE", "2"}}, "PMI_RANK"},
        Wrong{{{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "-1"}},
              "MPI_LOCALRANKID"}));

}  // namespace
}  // namespace tinta::dist
