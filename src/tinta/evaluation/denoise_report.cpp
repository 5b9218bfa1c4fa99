#include "tinta/evaluation/denoise_report.h"

#include <ATen/ATen.h>

#include <algorithm>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/io/pixels.h"

namespace tinta::evaluation {
namespace {

// A kind of picture and where a row holds it; nullptr where it was not made.
struct Kind {
  const char* name;
  const Quality* (*of)(const DenoiseRow& row);
};

constexpr std::array<Kind, 4> kKinds = {{
    {"noisy", [](const DenoiseRow& row) { return &row.noisy; }},
    {"restored", [](const DenoiseRow& row) { return &row.restored; }},
    {"chain", [](const DenoiseRow& row) { return row.chain ? &*row.chain : nullptr; }},
    {"classical", [](const DenoiseRow& row) { return row.classical ? &*row.classical : nullptr; }},
}};

struct Measure {
  const char* name;
  Score Quality::*score;
  int digits;
};

constexpr std::array<Measure, 2> kMeasures = {{
    {"psnr", &Quality::psnr, 2},
    {"ssim", &Quality::ssim, 3},
}};

std::string padded(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

constexpr std::size_t kColumn = 12;

std::string line(const DenoiseRow& row, const Measure& measure) {
  std::string text = padded(std::to_string(row.t), 6);
  for (const Kind& kind : kKinds) {
    const Quality* quality = kind.of(row);
    text += padded(quality == nullptr ? "-" : fixed((quality->*measure.score).mean, measure.digits),
                   kColumn);
  }
  return text + "\n";
}

}  // namespace

std::string table(const DenoiseReport& report) {
  std::string text = "means over " + std::to_string(report.images) +
                     " pictures (chain: " + std::to_string(report.chain_images) +
                     "); psnr in dB, peak 2\n";
  for (const Measure& measure : kMeasures) {
    text.append("\n").append(measure.name).append(padded("t", 2));
    for (const Kind& kind : kKinds) text += padded(kind.name, kColumn);
    text += "\n";
    for (const DenoiseRow& row : report.rows) text += line(row, measure);
  }
  return text;
}

std::string json(const DenoiseReport& report) {
  nlohmann::ordered_json object = {{"t", nlohmann::ordered_json::array()}};
  for (const DenoiseRow& row : report.rows) object["t"].push_back(row.t);
  for (const Measure& measure : kMeasures) {
    for (const Kind& kind : kKinds) {
      nlohmann::ordered_json means = nlohmann::ordered_json::array();
      nlohmann::ordered_json errors = means;
      for (const DenoiseRow& row : report.rows) {
        const Quality* quality = kind.of(row);
        if (quality == nullptr) {
          means.push_back(nullptr), errors.push_back(nullptr);
        } else {
          means.push_back((quality->*measure.score).mean);
          errors.push_back((quality->*measure.score).standard_error);
        }
      }
      const std::string key = std::string(measure.name) + "_" + kind.name;
      object[key] = std::move(means);
      object[key + "_se"] = std::move(errors);
    }
  }
  object["images"] = report.images;
  object["chain_images"] = report.chain_images;
  object["seed"] = report.seed;
  return object.dump(1) + "\n";  // numbers that are not finite are written as null
}

std::map<std::string, at::Tensor> arrays(const DenoiseReport& report,
                                         const process::Schedule& schedule) {
  std::vector<std::int64_t> t;
  std::vector<double> alpha_bar;
  std::vector<at::Tensor> x_t;
  for (const DenoiseRow& row : report.rows) {
    t.push_back(row.t);
    alpha_bar.push_back(schedule.alpha_bar(row.t));
    x_t.push_back(row.x_t);
  }
  std::map<std::string, at::Tensor> result = {{"t", at::tensor(t, at::kLong)},
                                              {"alpha_bar", at::tensor(alpha_bar, at::kDouble)},
                                              {"index", at::arange(report.x0.size(0), at::kLong)},
                                              {"x0", report.x0},
                                              {"x_t", at::stack(x_t)}};
  for (const Kind& kind : kKinds) {
    std::vector<at::Tensor> pictures;
    for (const DenoiseRow& row : report.rows) {
      if (const Quality* quality = kind.of(row)) pictures.push_back(quality->pictures);
    }
    // noisy follows from x_t; a kind is made for all noise levels or for none.
    if (kind.of != kKinds[0].of && !pictures.empty()) result[kind.name] = at::stack(pictures);
  }
  if (result.contains("chain"))
    result["chain_index"] = at::arange(result["chain"].size(1), at::kLong);
  return result;
}

at::Tensor picture(const DenoiseReport& report, std::int64_t most) {
  const std::int64_t columns = std::min(most, report.x0.size(0));
  if (columns < 1) throw ArgumentError("[picture] expected at least one kept picture, got none");
  std::vector<at::Tensor> rows = {report.x0.narrow(0, 0, columns)};
  for (const DenoiseRow& row : report.rows) {
    for (const Kind& kind : kKinds) {
      const Quality* quality = kind.of(row);
      if (quality == nullptr) continue;
      // A chain of fewer pictures than were kept leaves its last places grey.
      const at::Tensor line = at::zeros_like(rows.front());
      const std::int64_t made = std::min(columns, quality->pictures.size(0));
      line.narrow(0, 0, made).copy_(quality->pictures.narrow(0, 0, made));
      rows.push_back(line);
    }
  }
  return io::grid(io::to_bytes(at::cat(rows)), columns);
}

}  // namespace tinta::evaluation
