#include <filesystem>
#include <nlohmann/json.hpp>

#include "tinta/config/lab_rows.h"
#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/figures/document.h"
#include "tinta/io/png.h"
#include "tinta/lab/commands.h"
#include "tinta/lab/page.h"
#include "tinta/lab/write.h"

namespace tinta::lab {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

// What the report shows of one row, read back from its files.
struct Entry {
  config::LabRow row;
  Json json;
};

std::vector<Entry> read_entries(const fs::path& folder) {
  std::vector<Entry> entries;
  for (const config::LabRow& row : config::lab_rows()) {
    const fs::path path = folder / (row.name + ".json");
    if (!fs::exists(path)) continue;
    try {
      entries.push_back({row, Json::parse(read_text(path))});
    } catch (const Json::exception& error) {
      throw DataError(path.string(),
                      std::string("expected JSON of tinta lab, got ") + error.what());
    }
  }
  if (entries.empty()) {
    throw ArgumentError("[lab report] expected results of tinta lab, got none in " +
                        folder.string());
  }
  return entries;
}

// Values as text; a key that is absent or null is "".
std::string text_at(const Json& json, const char* key) {
  if (!json.contains(key) || json.at(key).is_null()) return "";
  return json.at(key).is_string() ? json.at(key).get<std::string>()
                                  : short_number(json.at(key).get<double>());
}

std::string expectation(const Json& check) {
  const std::string comparison = text_at(check, "comparison");
  if (comparison == "within") {
    return text_at(check, "expected") + " ± " + text_at(check, "tolerance");
  }
  const double expected = check.at("expected").get<double>();
  const double slack = check.at("tolerance").get<double>();
  return comparison == "at_most" ? "≤ " + short_number(expected + slack)
                                 : "≥ " + short_number(expected - slack);
}

ReportRow report_row(const Entry& entry, const fs::path& folder) {
  ReportRow row{.name = entry.row.name,
                .source = entry.row.source,
                .summary = entry.row.summary,
                .status = text_at(entry.json, "status"),
                .reading = text_at(entry.json, "reading"),
                .checks = {{"", "what", "value", "expected", "tolerance from"}},
                .numbers = {{"number", "value"}},
                .figures = {}};
  if (entry.json.contains("skipped")) row.reading = text_at(entry.json, "skipped");
  for (const Json& check : entry.json.at("checks")) {
    row.checks.push_back({check.at("pass").get<bool>() ? "holds" : "FAILS", text_at(check, "what"),
                          text_at(check, "value"), expectation(check), text_at(check, "basis")});
  }
  for (const auto& [key, value] : entry.json.at("numbers").items()) {
    row.numbers.push_back({key, value.is_null() ? "" : short_number(value.get<double>())});
  }
  for (const Json& file : entry.json.at("files")) {
    const fs::path path = folder / file.get<std::string>();
    if (path.extension() == ".png") row.figures.push_back(path);
  }
  return row;
}

std::string verdict_line(const std::vector<ReportRow>& rows) {
  std::size_t passed = 0, failed = 0, skipped = 0;
  for (const ReportRow& row : rows) {
    passed += row.status == "pass" ? 1U : 0U;
    failed += row.status == "fail" ? 1U : 0U;
    skipped += row.status == "skip" ? 1U : 0U;
  }
  return std::to_string(passed) + " rows hold, " + std::to_string(failed) + " fail, " +
         std::to_string(skipped) + " were skipped.";
}

std::vector<std::byte> as_pdf(const std::vector<ReportRow>& rows) {
  figures::Document document("The laboratory of tinta");
  document.paragraph(verdict_line(rows));
  std::vector<std::vector<std::string>> overview = {{"row", "verdict", "what it shows", "source"}};
  for (const ReportRow& row : rows) {
    overview.push_back({row.name, row.status, row.summary, row.source});
  }
  document.table({0.19, 0.09, 0.44, 0.28}, overview);
  for (const ReportRow& row : rows) {
    document.heading(row.name + ": " + row.status, 1);
    document.paragraph(row.summary + " (" + row.source + ").");
    document.paragraph(row.reading);
    for (const fs::path& path : row.figures) {
      const at::Tensor image = io::decode_png(read_bytes(path), path.string());
      document.picture(image, static_cast<double>(image.size(2)) / kPixelsPerPoint);
    }
    if (row.checks.size() > 1) document.table({0.08, 0.38, 0.12, 0.17, 0.25}, row.checks);
    if (row.numbers.size() > 1) document.table({0.7, 0.3}, row.numbers);
  }
  return document.finish();
}

}  // namespace

std::string run_report(const config::LabReportOptions& options) {
  const fs::path folder = options.from;
  const fs::path out = options.out.empty() ? folder / "report.pdf" : fs::path(options.out);
  if (out.extension() != ".pdf" && out.extension() != ".html") {
    throw ArgumentError("[lab report] --out: expected a .pdf or .html, got " + out.string());
  }
  const Existing existing = options.force ? Existing::replace : Existing::refuse;
  require_writable(out, existing);
  std::vector<ReportRow> rows;
  for (const Entry& entry : read_entries(folder)) {
    try {
      rows.push_back(report_row(entry, folder));
    } catch (const Json::exception& error) {
      throw DataError((folder / (entry.row.name + ".json")).string(),
                      std::string("expected a result of tinta lab, got ") + error.what());
    }
  }
  if (out.extension() == ".pdf") {
    write_file(out, as_pdf(rows), existing);
  } else {
    write_file(out, html_page(verdict_line(rows), rows), existing);
  }
  return out.string() + "\n";
}

}  // namespace tinta::lab
