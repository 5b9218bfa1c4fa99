#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinta::data {

/// One line of labels.csv.
struct LabelLine {
  std::string file;
  std::string label;
  int line = 0;  ///< counted from 1
};

/// Reads lines "file,label"; a first line that says just that is a heading. A field may be in
/// double quotes, in which two of them stand for one. Empty lines are passed over.
/// @throws DataError naming the line: not two fields, an empty one, an open quote, a file twice
std::vector<LabelLine> parse_label_table(std::string_view text, const std::string& path);

/// Labels that occur, each once: as numbers where all are whole numbers, else as texts.
std::vector<std::string> ordered_labels(const std::vector<LabelLine>& lines);

}  // namespace tinta::data
