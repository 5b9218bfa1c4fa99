#include "tinta/core/file_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/mapped_file.h"
#include "tinta/core/test_folder.h"

namespace tinta {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class FileWriterTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }

  TestFolder test_folder_;
  const fs::path& folder_ = test_folder_.path();
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST_F(FileWriterTest, PiecesInAnyOrderBecomeOneFile) {
  FileWriter file(folder_ / "new" / "a");
  file.write_at(4, bytes_of("after"));
  file.write_at(0, bytes_of("be"));
  EXPECT_FALSE(fs::exists(folder_ / "new" / "a"));
  file.commit();
  EXPECT_EQ(read_text(folder_ / "new" / "a"), std::string("be\0\0after", 9));
}

TEST_F(FileWriterTest, WithoutACommitWhatWasThereStays) {
  write_file(folder_ / "a", std::string_view("old"), Existing::refuse);
  {
    FileWriter file(folder_ / "a");
    file.write_at(0, bytes_of("new"));
  }
  EXPECT_EQ(read_text(folder_ / "a"), "old");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(FileWriterTest, WhatAKilledWriterLeftIsRemovedByTheNext) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  const std::string prefix = "a.tmp-" + std::string(host.data()) + "-";
  const std::string gone = std::to_string(child);
  const std::string living = prefix + "1";                // the first process, which always lives
  const std::string elsewhere = "a.tmp-another-" + gone;  // of a machine that shares the folder
  for (const std::string& name : {prefix + gone, living, elsewhere}) {
    write_file(folder_ / name, std::string_view("rest"), Existing::refuse);
  }
  FileWriter(folder_ / "a").commit();
  EXPECT_THAT(names(), ::testing::UnorderedElementsAre("a", living, elsewhere));
}

TEST_F(FileWriterTest, AMappedFileKeepsItsBytesWhenItIsReplaced) {
  write_file(folder_ / "a", std::string_view("first"), Existing::refuse);
  const MappedFile mapped(folder_ / "a");
  write_file(folder_ / "a", std::string_view("other"), Existing::replace);
  read_ahead(mapped.bytes().subspan(1));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), 5), "first");
  EXPECT_THROW(MappedFile(folder_ / "none"), SystemError);
  EXPECT_THROW(MappedFile{folder_}, SystemError);
  write_file(folder_ / "empty", std::string_view(), Existing::refuse);
  EXPECT_TRUE(MappedFile(folder_ / "empty").bytes().empty());
}

}  // namespace
}  // namespace tinta
