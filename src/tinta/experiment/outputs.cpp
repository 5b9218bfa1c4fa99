#include "tinta/experiment/outputs.h"

#include "tinta/core/error.h"

namespace tinta::experiment {

void refuse_existing(const std::filesystem::path& path, bool force) {
  if (!path.empty() && !force && std::filesystem::exists(path)) {
    throw ArgumentError("[" + path.string() + "] already exists; --force replaces it");
  }
}

}  // namespace tinta::experiment
