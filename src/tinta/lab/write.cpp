#include "tinta/lab/write.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tinta/config/lab_rows.h"
#include "tinta/io/npz.h"

namespace tinta::lab {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

// JSON has no words for what is not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::string to_string(Comparison comparison) {
  switch (comparison) {
    case Comparison::within:
      return "within";
    case Comparison::at_most:
      return "at_most";
    case Comparison::at_least:
      return "at_least";
  }
  return "unknown";
}

Json check_json(const Check& check) {
  return {{"what", check.what},
          {"value", number(check.value)},
          {"expected", number(check.expected)},
          {"tolerance", number(check.tolerance)},
          {"comparison", to_string(check.comparison)},
          {"basis", check.basis},
          {"arrays", check.arrays},
          {"pass", check.pass()}};
}

std::string wanted(const Check& check) {
  const std::string expected = short_number(check.expected);
  const std::string slack =
      check.tolerance > 0 ? " within " + short_number(check.tolerance) : std::string();
  switch (check.comparison) {
    case Comparison::within:
      return expected + slack;
    case Comparison::at_most:
      return "at most " + short_number(check.expected + check.tolerance);
    case Comparison::at_least:
      return "at least " + short_number(check.expected - check.tolerance);
  }
  return expected;
}

std::string file_stem(const std::string& name, const NamedFigure& figure) {
  return figure.suffix.empty() ? name : name + "-" + figure.suffix;
}

}  // namespace

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

std::string to_string(Status status) {
  switch (status) {
    case Status::pass:
      return "pass";
    case Status::fail:
      return "fail";
    case Status::skip:
      return "skip";
  }
  return "unknown";
}

Status status_of(const Result& result) {
  if (!result.skipped.empty()) return Status::skip;
  bool all = !result.checks.empty();  // a row that checks nothing has shown nothing
  for (const Check& check : result.checks) all = all && check.pass();
  return all ? Status::pass : Status::fail;
}

std::string to_json(const std::string& name, const Context& context, const Result& result,
                    int indent) {
  Json checks = Json::array();
  for (const Check& check : result.checks) checks.push_back(check_json(check));
  Json numbers = Json::object();
  for (const auto& [key, value] : result.numbers) numbers[key] = number(value);
  const config::LabRow* row = config::find_lab_row(name);
  Json json = {{"name", name},
               {"source", row == nullptr ? "" : row->source},
               {"status", to_string(status_of(result))},
               {"seed", context.seed},
               {"effort", context.effort == Effort::full ? "full" : "quick"},
               {"checks", checks},
               {"numbers", numbers},
               {"reading", result.reading},
               {"files", files_of(name, result)}};
  if (!result.skipped.empty()) json["skipped"] = result.skipped;
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const std::string& name, const Result& result) {
  std::string text = name + ": " + to_string(status_of(result)) + "\n";
  if (!result.skipped.empty()) return text + "  " + result.skipped + "\n";
  text += "  " + result.reading + "\n";
  for (const Check& check : result.checks) {
    text += std::string(check.pass() ? "  holds  " : "  FAILS  ") + check.what + ": " +
            short_number(check.value) + ", expected " + wanted(check) + "\n";
  }
  return text;
}

std::vector<std::string> files_of(const std::string& name, const Result& result) {
  std::vector<std::string> files;
  for (const NamedFigure& figure : result.figures) {
    files.push_back(file_stem(name, figure) + ".png");
    files.push_back(file_stem(name, figure) + ".svg");
  }
  if (result.animation) files.push_back(name + ".webp");
  if (!result.arrays.empty()) files.push_back(name + ".npz");
  files.push_back(name + ".json");
  return files;
}

void write_result(const fs::path& folder, const std::string& name, const Context& context,
                  const Result& result, Existing existing) {
  const auto put = [&](const std::string& file, const std::vector<std::byte>& bytes) {
    write_file(folder / file, bytes, existing);
  };
  for (const NamedFigure& figure : result.figures) {
    const std::string stem = file_stem(name, figure);
    put(stem + ".png",
        figures::to_png(
            figure.figure, 2,
            {{"Software", "tinta"}, {"row", name}, {"seed", std::to_string(context.seed)}}));
    put(stem + ".svg", figures::to_svg(figure.figure));
  }
  if (result.animation) put(name + ".webp", figures::to_webp(*result.animation));
  if (!result.arrays.empty()) put(name + ".npz", io::encode_npz(result.arrays));
  write_file(folder / (name + ".json"), to_json(name, context, result) + "\n", existing);
}

}  // namespace tinta::lab
