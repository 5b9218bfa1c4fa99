#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/config/run_log.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/experiment/commands.h"
#include "tinta/experiment/loss_plot.h"
#include "tinta/experiment/outputs.h"
#include "tinta/figures/render.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr double kSmooth = 0.05;

std::string folder_name(const std::string& run) {
  fs::path path = fs::absolute(run).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "runs/mnist/"
  return path.filename().string();
}

// By the names of the folders, or by the paths where two folders are called the same.
std::vector<LossCurve> curves_of(const std::vector<std::string>& runs) {
  std::map<std::string, int> named;
  for (const std::string& run : runs) ++named[folder_name(run)];
  std::vector<LossCurve> curves;
  for (const std::string& run : runs) {
    const std::string name = folder_name(run);
    curves.push_back({.name = named[name] > 1 ? run : name,
                      .points = config::read_metrics(run),
                      .validation = config::read_validation(run)});
  }
  return curves;
}

std::vector<std::byte> rendered(const figures::Figure& figure, const fs::path& path,
                                const std::vector<std::string>& runs) {
  if (path.extension() == ".svg") return figures::to_svg(figure);
  if (path.extension() == ".pdf") return figures::to_pdf(figure);
  return figures::to_png(figure, 2, {{"Software", "tinta"}, {"runs", join(runs, " ")}});
}

ordered_json to_json(const std::string& run, const LossCurve& curve) {
  ordered_json json = {{"run", run},
                       {"lines", curve.points.size()},
                       {"step", nullptr},
                       {"loss", nullptr},
                       {"validation", curve.validation.size()}};
  if (!curve.points.empty()) {
    json["step"] = curve.points.back().step;
    json["loss"] = curve.points.back().loss;  // null where it is not finite
  }
  return json;
}

}  // namespace

std::string run_plot(const config::PlotOptions& options) {
  refuse_existing(options.output, options.force);
  const std::vector<LossCurve> curves = curves_of(options.runs);
  const figures::Figure figure =
      loss_figure(curves, options.smooth.value_or(kSmooth), options.log_axes);
  write_file(options.output, rendered(figure, options.output, options.runs),
             options.force ? Existing::replace : Existing::refuse);
  if (!options.json) return options.output + "\n";
  ordered_json json = {{"file", options.output}, {"runs", ordered_json::array()}};
  for (std::size_t i = 0; i < curves.size(); ++i) {
    json["runs"].push_back(to_json(options.runs[i], curves[i]));
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tinta::experiment
