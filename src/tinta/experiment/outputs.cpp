#include "tinta/experiment/outputs.h"

#include "tinta/core/file.h"

namespace tinta::experiment {

void refuse_existing(const std::filesystem::path& path, bool force) {
  if (!path.empty()) require_writable(path, force ? Existing::replace : Existing::refuse);
}

}  // namespace tinta::experiment
