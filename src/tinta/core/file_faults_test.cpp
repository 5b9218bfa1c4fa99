#include <faults/file_faults.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/test_folder.h"

// write_file() on a disk that fails at each of its calls in turn.

namespace tinta {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t entries_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

class WriteFileOnABadDisk : public testing::TestWithParam<int> {};

TEST_P(WriteFileOnABadDisk, LeavesTheOldContentOrTheNewAndSaysSo) {
  const TestFolder folder;
  const fs::path path = folder.path() / "file";
  std::uint64_t at = 0;
  for (bool failed = true; failed;) {
    write_file(path, "old", Existing::replace);
    failed = false;
    {
      const faults::Armed disk({.prefix = folder.path().string(), .at = ++at, .error = GetParam()});
      try {
        write_file(path, "the new text", Existing::replace);
      } catch (const SystemError& error) {
        failed = true;
        EXPECT_NE(std::string(error.what()).find(folder.path().string()), std::string::npos);
      }
      EXPECT_EQ(failed, faults::failures() > 0) << "call " << at << ": a failure must be told";
    }
    const std::string content = read_text(path);
    EXPECT_TRUE(content == "the new text" || (failed && content == "old")) << content;
    EXPECT_EQ(entries_in(folder.path()), 1) << "nothing half-written is left";
  }
  EXPECT_GE(at, 6u) << "open, write, flush, rename, flush of the folder, and one that went well";
}

TEST_P(WriteFileOnABadDisk, AnInPlaceWriteIsToldToo) {
  const TestFolder folder;
  const std::string text = "text";
  for (std::uint64_t at = 1; at <= 3; ++at) {  // open, write, flush
    const faults::Armed disk({.prefix = folder.path().string(), .at = at, .error = GetParam()});
    EXPECT_THROW(write_file_checked(folder.path() / "file", std::as_bytes(std::span(text))),
                 SystemError);
  }
}

INSTANTIATE_TEST_SUITE_P(Errors, WriteFileOnABadDisk, testing::Values(ENOSPC, EIO),
                         [](const auto& item) { return item.param == EIO ? "EIO" : "ENOSPC"; });

}  // namespace
}  // namespace tinta
