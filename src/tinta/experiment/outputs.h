#pragma once

#include <filesystem>

namespace tinta::experiment {

/// Refuses before the work begins what write_file() would refuse after it.
/// @throws ArgumentError when `path` is not empty, exists, and `force` is false
void refuse_existing(const std::filesystem::path& path, bool force);

}  // namespace tinta::experiment
