#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tinta::lab {

/// What a report shows of a row: all as text, tables with their heads.
struct ReportRow {
  std::string name, source, summary, status, reading;
  std::vector<std::vector<std::string>> checks;
  std::vector<std::vector<std::string>> numbers;
  std::vector<std::filesystem::path> figures;  ///< PNG files; an SVG of the same name lies beside
};

/// One self-contained HTML page: vector figures and styles inside, nothing fetched.
/// @throws SystemError when a figure cannot be read
std::string html_page(const std::string& verdict, const std::vector<ReportRow>& rows);

}  // namespace tinta::lab
