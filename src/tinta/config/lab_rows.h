#pragma once

#include <string>
#include <vector>

// The rows of the laboratory, known without torch; lab/row.h runs them.

namespace tinta::config {

/// An option of `tinta lab` that only some rows take.
enum class LabOption { image, steps, repeats, density, process, run, classifier };

/// One row: a figure or an exercise of the two sources.
struct LabRow {
  std::string name;
  std::string source;   ///< "thesis eq. 2.1, fig. 2.1"
  std::string summary;  ///< one line: what it shows
  std::string steps;    ///< what --steps counts; "": not taken
  std::vector<LabOption> takes;
};

/// Every row, in the order of the sources.
const std::vector<LabRow>& lab_rows();
std::vector<std::string> lab_row_names();
/// The row of that name, or null.
const LabRow* find_lab_row(const std::string& name);

/// Densities in the plane that --density names.
const std::vector<std::string>& lab_density_names();

}  // namespace tinta::config
