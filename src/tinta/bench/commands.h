#pragma once

#include <string>

#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/experiment/commands.h"

// The benchmarks of tinta-core, in the manner of experiment/commands.h: options in, text for stdout
// out, which is "" when `stop` answered true. All throw ArgumentError and SystemError.

namespace tinta::bench {

/// `tinta bench`: the machine's roof, and our kernels beside it.
[[nodiscard]] std::string run_bench(const config::BenchOptions& options, const Sinks& sinks,
                                    const StopRequested& stop);

/// `tinta bench train`, `tinta bench sample`: whole steps beside the convolution peak, which is
/// measured after them, in the same precision.
[[nodiscard]] std::string run_bench_steps(const config::BenchStepsOptions& options,
                                          const Sinks& sinks, const StopRequested& stop);

/// `tinta doctor`: what this machine is and, where a run is named, what would spoil it. The text is
/// "" when `stop` answered true.
[[nodiscard]] experiment::Examined run_doctor(const config::DoctorOptions& options,
                                              const Sinks& sinks, const StopRequested& stop);

}  // namespace tinta::bench
