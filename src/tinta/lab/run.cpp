#include <chrono>
#include <filesystem>

#include "tinta/core/error.h"
#include "tinta/core/file.h"
#include "tinta/core/text.h"
#include "tinta/experiment/machine.h"
#include "tinta/experiment/outputs.h"
#include "tinta/io/image.h"
#include "tinta/lab/commands.h"
#include "tinta/lab/write.h"

namespace tinta::lab {
namespace fs = std::filesystem;
namespace {

std::vector<Row> chosen(const std::string& name) {
  if (name != "all") return {find_row(name)};
  return {rows().begin(), rows().end()};
}

Context context_of(const config::LabOptions& options, const Sinks& sinks,
                   const StopRequested& stop) {
  Context context{.seed = options.seed,
                  .effort = options.quick ? Effort::quick : Effort::full,
                  .steps = options.steps,
                  .repeats = options.repeats,
                  .density = options.density,
                  .overrides = options.overrides,
                  .run = options.run,
                  .data = options.data,
                  .classifier = options.classifier,
                  .machine = options.machine,
                  .sinks = sinks,
                  .stop = stop};
  if (!options.image.empty()) {
    context.image = io::decode_image(read_bytes(options.image), options.image);
  }
  return context;
}

/// What several rows say together.
class Summary {
 public:
  void add(const std::string& name, const Context& context, const Result& result, double seconds) {
    json_ += (json_.empty() ? "" : ",\n") + to_json(name, context, result);
    text_ += to_text(name, result) + "  " + duration(seconds) + "\n";
    const Status status = status_of(result);
    counts_[static_cast<std::size_t>(status)] += 1;
  }

  [[nodiscard]] Verdict verdict(bool as_json, const fs::path& folder) const {
    const int failed = counts_[1];
    if (as_json) return {"[" + json_ + "]\n", failed == 0};
    return {text_ + std::to_string(counts_[0]) + " passed, " + std::to_string(failed) +
                " failed, " + std::to_string(counts_[2]) + " skipped; see " + folder.string() +
                "\n",
            failed == 0};
  }

 private:
  std::string json_;
  std::string text_;
  std::array<int, 3> counts_{};
};

}  // namespace

Verdict run_lab(const config::LabOptions& options, const Sinks& sinks, const StopRequested& stop) {
  const std::vector<Row> wanted = chosen(options.row);
  const fs::path folder = options.out;
  for (const Row& row : wanted) {
    experiment::refuse_existing(folder / (row.name + ".json"), options.force);
  }
  // Single precision everywhere, so that a verdict does not depend on the kind of processor.
  experiment::prepare(options.machine, "fp32", sinks);
  const Context context = context_of(options, sinks, stop);
  const Existing existing = options.force ? Existing::replace : Existing::refuse;
  Summary summary;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    sinks.report({.what = wanted[i].name,
                  .done = static_cast<long long>(i),
                  .total = static_cast<long long>(wanted.size()),
                  .detail = "row " + std::to_string(i + 1)});
    const auto start = std::chrono::steady_clock::now();
    const Result result = wanted[i].run(context);
    if (context.stopped()) break;
    write_result(folder, wanted[i].name, context, result, existing);
    summary.add(wanted[i].name, context, result,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return summary.verdict(options.json, folder);
}

}  // namespace tinta::lab
