#pragma once

#include <filesystem>

namespace tinta::experiment {

/// Refuses before the work begins what write_file() would refuse after it.
/// @throws ArgumentError when `path` is not empty and require_writable() refuses it
void refuse_existing(const std::filesystem::path& path, bool force);

}  // namespace tinta::experiment
