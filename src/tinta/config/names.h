#pragma once

#include <cstdint>
#include <string>
#include <vector>

// The names that a config or a flag may hold, known without torch: the front program refuses a
// wrong one, with a suggestion, before the engine starts. A factory of the same names lives in the
// module that makes the thing.

namespace tinta::config {

/// Where a source's pictures or points come from.
enum class Origin { drawn, files };

/// A source of data.
struct Source {
  std::string name;
  Origin origin;
  bool pictures;          ///< false: 2-D points
  std::int64_t channels;  ///< of its pictures; 0 for points; -1: data.channels says
  std::int64_t classes;   ///< 0: no labels; -1: as many as the files say
  std::string summary;
  bool resized = false;  ///< its pictures are brought to data.size
};

/// Every source, pictures first. data.source names one of those with pictures.
const std::vector<Source>& sources();
/// The source of that name, or null.
const Source* find_source(const std::string& name);

const std::vector<std::string>& picture_source_names();
/// What `tinta data get` fetches.
const std::vector<std::string>& downloadable_names();
const std::vector<std::string>& sampler_names();
const std::vector<std::string>& variance_names();
const std::vector<std::string>& inpaint_method_names();
const std::vector<std::string>& schedule_names();
const std::vector<std::string>& prediction_names();
const std::vector<std::string>& precision_names();
const std::vector<std::string>& decay_names();
const std::vector<std::string>& time_conditioning_names();
const std::vector<std::string>& time_order_names();
const std::vector<std::string>& downsample_names();
const std::vector<std::string>& resample_names();
const std::vector<std::string>& up_attention_names();
const std::vector<std::string>& conditioning_names();
/// What `tinta eval` can measure.
const std::vector<std::string>& metric_names();

}  // namespace tinta::config
