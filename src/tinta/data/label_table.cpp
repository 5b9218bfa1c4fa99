#include "tinta/data/label_table.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>

#include "tinta/core/error.h"

namespace tinta::data {
namespace {

/// Cuts a line into its fields; nothing where a quote is not closed or closes in the middle.
std::optional<std::vector<std::string>> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      const bool at_edge =
          quoted ? i + 1 == line.size() || line[i + 1] == ',' : fields.back().empty();
      if (!at_edge) return std::nullopt;
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

}  // namespace

std::vector<LabelLine> parse_label_table(std::string_view text, const std::string& path) {
  std::vector<LabelLine> lines;
  std::set<std::string> seen;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line == "file,label")) continue;
    const auto fail = [&](const std::string& what) {
      throw DataError(path, "line " + std::to_string(number) + ": " + what);
    };
    const auto fields = fields_of(line);
    if (!fields) fail("expected fields with their quotes closed, got an open one");
    if (fields->size() != 2 || fields->front().empty() || fields->back().empty()) {
      fail("expected \"file,label\", got " + std::to_string(fields->size()) + " fields" +
           (fields->size() == 2 ? ", one of them empty" : ""));
    }
    if (!seen.insert(fields->front()).second) {
      fail("expected each file once, got \"" + fields->front() + "\" again");
    }
    lines.push_back({fields->front(), fields->back(), number});
  }
  if (lines.empty()) throw DataError(path, "expected lines \"file,label\", got none");
  return lines;
}

std::vector<std::string> ordered_labels(const std::vector<LabelLine>& lines) {
  std::vector<std::string> labels;
  for (const LabelLine& line : lines) labels.push_back(line.label);
  std::ranges::sort(labels);
  const auto [first, last] = std::ranges::unique(labels);
  labels.erase(first, last);
  const auto numeric = [](const std::string& label) { return whole_number(label).has_value(); };
  if (std::ranges::all_of(labels, numeric)) {
    std::ranges::stable_sort(
        labels, {}, [](const std::string& label) { return whole_number(label).value_or(0); });
  }
  return labels;
}

}  // namespace tinta::data
