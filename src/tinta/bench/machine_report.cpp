#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tinta/bench/commands.h"
#include "tinta/bench/kernel_rates.h"
#include "tinta/bench/roof.h"
#include "tinta/core/text.h"
#include "tinta/experiment/machine.h"
#include "tinta/kernels/isa.h"

namespace tinta::bench {
namespace {

using nlohmann::ordered_json;

struct PrecisionPeaks {
  std::string precision;
  Peak convolution, matrix_product;
};

struct Machine {
  at::Device device = at::kCPU;
  int threads = 1;
  std::string isa{};
  std::vector<PrecisionPeaks> peaks{};
  std::string not_measured{};  ///< a precision that was left out, and why
  std::vector<Bandwidth> bandwidth{};
  std::vector<KernelRate> kernels{};
};

double median_bytes(const Machine& machine, Bound bound) {
  const std::string wanted = bound == Bound::write ? "write" : "triad";
  return std::ranges::find(machine.bandwidth, wanted, &Bandwidth::name)->bytes.median;
}

ordered_json giga(const Spread& spread) {
  return {{"median", spread.median * 1e-9},
          {"low", spread.low * 1e-9},
          {"high", spread.high * 1e-9},
          {"count", spread.count}};
}

std::string giga_text(const Spread& spread) {
  return to_text(
      {.median = spread.median * 1e-9, .low = spread.low * 1e-9, .high = spread.high * 1e-9}, 1);
}

ordered_json json_of(const Machine& machine, const KernelRate& kernel) {
  ordered_json json = {{"kernel", kernel.name},
                       {"precision", kernel.precision},
                       {"item", kernel.item},
                       {"items_per_second", to_json(kernel.items)},
                       {"gigabytes_per_second", nullptr},
                       {"share_of_roof", nullptr}};
  if (kernel.bound != Bound::none) {
    const double bytes = kernel.items.median * kernel.bytes_per_item;
    json["gigabytes_per_second"] = bytes * 1e-9;
    json["share_of_roof"] = bytes / median_bytes(machine, kernel.bound);
  }
  return json;
}

std::string as_json(const Machine& machine) {
  ordered_json json = {{"device", machine.device.str()},
                       {"threads", machine.threads},
                       {"instruction_set", machine.isa},
                       {"peak_gflops", ordered_json::object()},
                       {"not_measured", machine.not_measured},
                       {"memory_gigabytes_per_second", ordered_json::object()},
                       {"kernels", ordered_json::array()}};
  for (const PrecisionPeaks& peaks : machine.peaks) {
    json["peak_gflops"][peaks.precision] = {{"convolution", giga(peaks.convolution.flops)},
                                            {"convolution_shape", peaks.convolution.shape},
                                            {"matrix_product", giga(peaks.matrix_product.flops)},
                                            {"matrix_product_shape", peaks.matrix_product.shape}};
  }
  for (const Bandwidth& way : machine.bandwidth) {
    json["memory_gigabytes_per_second"][way.name] = giga(way.bytes);
  }
  for (const KernelRate& kernel : machine.kernels) {
    json["kernels"].push_back(json_of(machine, kernel));
  }
  return json.dump(2) + "\n";
}

std::string as_text(const Machine& machine) {
  std::string text = machine.device.str() + ", " + std::to_string(machine.threads) +
                     " CPU threads, kernels for " + machine.isa +
                     "; medians (and quartiles)\n\nPeak, GFLOP/s\n";
  for (const PrecisionPeaks& peaks : machine.peaks) {
    text += "  " + peaks.precision + " convolution     " + giga_text(peaks.convolution.flops) +
            "   " + peaks.convolution.shape + "\n";
    text += "  " + peaks.precision + " matrix product  " + giga_text(peaks.matrix_product.flops) +
            "   " + peaks.matrix_product.shape + "\n";
  }
  if (!machine.not_measured.empty()) text += "  " + machine.not_measured + "\n";
  text += "\nMemory, GB/s\n";
  for (const Bandwidth& way : machine.bandwidth) {
    text += "  " + way.name + std::string(8 - way.name.size(), ' ') + giga_text(way.bytes) + "\n";
  }
  text += "\nKernels\n";
  for (const KernelRate& kernel : machine.kernels) {
    text += "  " + kernel.name + " (" + kernel.precision +
            "): " + fixed(kernel.items.median * 1e-6, 1) + " million " + kernel.item + "s a second";
    if (kernel.bound != Bound::none) {
      const double bytes = kernel.items.median * kernel.bytes_per_item;
      text += ", " + fixed(bytes * 1e-9, 1) + " GB/s, " +
              fixed(100 * bytes / median_bytes(machine, kernel.bound), 0) + "% of " +
              (kernel.bound == Bound::write ? "write" : "triad");
    }
    text += "\n";
  }
  return text;
}

// What is measured, and what is not: bfloat16 where nothing computes it takes minutes to say so.
std::vector<at::ScalarType> precisions(const std::string& asked, at::Device device,
                                       std::string& not_measured) {
  if (asked == "fp32") return {at::kFloat};
  if (asked == "bf16") return {at::kBFloat16};
  if (asked == "fp16") return {at::kHalf};
  if (device.is_cuda() || kernels::has_bf16()) return {at::kFloat, at::kBFloat16};
  not_measured =
      "bf16: not measured, as this CPU has no bfloat16 arithmetic (--precision bf16 does)";
  return {at::kFloat};
}

Machine measured(const config::BenchOptions& options, const Sinks& sinks,
                 const StopRequested& stop) {
  Machine machine;
  machine.device = experiment::prepare(options.machine, options.precision, sinks).device;
  machine.threads = at::get_num_threads();
  machine.isa = kernels::to_string(kernels::active_isa());
  const Effort effort{.seconds = options.seconds.value_or(1)};
  // Tests ask for little, and get it on small arrays too.
  const double scale = std::clamp(effort.seconds * 4, 1.0 / 64, 1.0);
  const auto dtypes = precisions(options.precision, machine.device, machine.not_measured);
  long long done = 0;
  const auto next = [&](const std::string& what) {
    if (stop && stop()) throw Stopped{};
    sinks.report({.what = "measuring",
                  .done = done++,
                  .total = 2 + 3 * static_cast<long long>(dtypes.size()),
                  .detail = what});
  };
  next("memory");
  machine.bandwidth = memory_bandwidth(
      machine.device, static_cast<std::int64_t>(static_cast<double>(kBeyondCaches) * scale),
      effort);
  for (const at::ScalarType dtype : dtypes) {
    const std::string precision = experiment::precision_name(dtype);
    next(precision + " convolutions");
    Peak convolution = convolution_peak(machine.device, dtype, effort);
    next(precision + " matrix products");
    machine.peaks.push_back({.precision = precision,
                             .convolution = std::move(convolution),
                             .matrix_product = matrix_product_peak(machine.device, dtype, effort)});
    next(precision + " kernels");
    for (KernelRate& rate : kernel_rates(machine.device, dtype, effort, scale)) {
      machine.kernels.push_back(std::move(rate));
    }
  }
  next("random kernels");
  for (KernelRate& rate : random_kernel_rates(effort, scale)) {
    machine.kernels.push_back(std::move(rate));
  }
  return machine;
}

}  // namespace

std::string run_bench(const config::BenchOptions& options, const Sinks& sinks,
                      const StopRequested& stop) {
  try {
    const Machine machine = measured(options, sinks, stop);
    return options.json ? as_json(machine) : as_text(machine);
  } catch (const Stopped&) {
    return "";
  }
}

}  // namespace tinta::bench
