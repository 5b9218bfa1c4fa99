#include "tinta/cli/engine.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tinta/core/error.h"

namespace tinta::cli {

std::filesystem::path engine_path() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) throw SystemError("[tinta] cannot find its own program", failed.value());
  return self.parent_path() / "tinta-core";
}

void become_engine(char** argv) {
  const std::filesystem::path engine = engine_path();
  execv(engine.c_str(), argv);
  throw SystemError("[tinta] cannot start its engine " + engine.string(), errno);
}

}  // namespace tinta::cli
