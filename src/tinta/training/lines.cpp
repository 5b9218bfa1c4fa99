#include "tinta/training/lines.h"

#include <vector>

#include "tinta/core/file.h"
#include "tinta/core/text.h"

namespace tinta::training {

std::size_t cut_lines(
    const std::filesystem::path& path, std::uint64_t step,
    const std::function<std::optional<std::uint64_t>(const std::string&)>& step_of) {
  if (!std::filesystem::exists(path)) return 0;
  std::vector<std::string> lines = split(read_text(path), '\n');
  if (!lines.empty()) lines.pop_back();  // empty, or cut off by a kill
  std::string kept;
  std::size_t damaged = 0;
  for (const std::string& line : lines) {
    const std::optional<std::uint64_t> own = step_of(line);
    if (!own) ++damaged;
    if (own && *own <= step) kept += line + "\n";
  }
  write_file(path, kept, Existing::replace);
  return damaged;
}

}  // namespace tinta::training
