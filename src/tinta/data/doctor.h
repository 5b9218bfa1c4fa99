#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tinta/core/sink.h"

// What would spoil a run, found before it.

namespace tinta::data {

enum class Severity {
  error,    ///< training would fail
  warning,  ///< training would run, on worse data than one thinks
};

/// One thing that is wrong, with the pictures that it is wrong with.
struct Finding {
  Severity severity = Severity::warning;
  std::string kind;  ///< "unreadable", "copies", "copies-across-splits", "labels-disagree",
                     ///< "small", "elongated", "flat", "channels", "range", "tiny-class",
                     ///< "unbalanced", "passed-over"
  std::string text;  ///< one sentence, with the number
  std::vector<std::string> examples{};  ///< all of them: "a/1.jpg: why"
};

struct SplitSummary {
  std::string name;
  std::int64_t count = 0;  ///< pictures, unreadable ones too
  std::int64_t readable = 0;
  std::int64_t grey = 0, colour = 0;  ///< of the readable ones
  std::int64_t least_height = 0, least_width = 0, largest_height = 0, largest_width = 0;
  std::vector<std::string> class_names{};
  std::vector<std::int64_t> class_counts{};
};

struct Examination {
  std::string source;
  std::string format;
  std::vector<SplitSummary> splits{};
  std::vector<Finding> findings{};

  /// Whether a run could be trained on the pictures as they are.
  [[nodiscard]] bool sound() const;
};

/// Reads every picture of a folder or file as training would, and reports what it finds:
///
/// - unreadable pictures;
/// - copies (the same bytes), those in two splits, those with two labels;
/// - sides below 64 pixels (of folders), one side more than 4 times the other, one colour alone;
/// - grey pictures among those in colour, or the other way round; values in a narrow range;
/// - classes of fewer than 10 pictures, or 10 times as many in one class as in another;
/// - files of a folder that are passed over.
///
/// @throws ArgumentError / DataError as detect_source() does
Examination examine(const std::string& path, const Sinks& sinks);

}  // namespace tinta::data
