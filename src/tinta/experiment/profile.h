#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tinta/experiment/trace.h"

namespace tinta::experiment {

/// What a step spends its time on.
enum class Part {
  convolution,      ///< forward
  data_gradient,    ///< of convolutions, with respect to their input
  weight_gradient,  ///< of convolutions, with respect to weight and bias
  group_norm,       ///< with SiLU, time and dropout; both passes
  attention,        ///< the two products and the softmax; its projections are linear
  linear,           ///< matrix products with weights; both passes
  optimiser,        ///< norm of the gradient, AdamW, moving average
  data,             ///< picking and converting a batch
  noise,            ///< drawing t and noise, and x_t
  copies,           ///< copies, casts, concatenation, padding
  other,
};

/// "convolution, forward", as tables name it.
std::string to_string(Part part);

/// Every part, in the order of a table.
std::vector<Part> all_parts();

/// The part that an operation of this name belongs to, with all that it calls. `convolution` and
/// weight_gradient stand for a whole convolution's forward and backward pass. @return other where
/// the name tells nothing
Part part_of(std::string_view name);

struct PartTime {
  Part part = Part::other;
  double milliseconds = 0;  ///< of a step
  double share = 0;         ///< of the step
};

/// A step by its parts, mean over the steps of a trace.
struct Profile {
  std::int64_t steps = 0;
  double milliseconds = 0;        ///< of a step, traced
  std::vector<PartTime> parts{};  ///< all_parts(); they sum to the step
};

/// The share of a convolution's backward pass that its data gradient takes, 0 to 1.
using DataShare = std::function<double(const ConvolutionBackward&)>;

/// Adds up a trace. An operation's time belongs to the outermost of those around it, itself
/// included, whose name says a part. Time outside of steps does not count.
/// @param operations of Trace::finish()
/// @param step       name of the scope of one step
/// @throws ArgumentError when the trace holds no step
Profile profile_of(const std::vector<Operation>& operations, const std::string& step,
                   const DataShare& data_share);

/// The parts that take time, longest first: milliseconds and share.
std::string table_of(const Profile& profile);

/// {"steps", "milliseconds", "parts": [{"part", "milliseconds", "share"}, ...]}
nlohmann::ordered_json to_json(const Profile& profile);

/// The trace as JSON that chrome://tracing and Perfetto read: complete events ("ph": "X"), times in
/// microseconds, with part and sizes.
std::string chrome_trace(const std::vector<Operation>& operations);

/// Measures DataShare: runs each half of such a call alone, once for each form of call.
DataShare measured_data_share();

}  // namespace tinta::experiment
