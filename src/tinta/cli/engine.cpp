#include "tinta/cli/engine.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tinta/core/error.h"

namespace tinta::cli {

void become_engine(char** argv) {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) throw SystemError("[tinta] cannot find its own program", failed.value());
  const std::filesystem::path engine = self.parent_path() / "tinta-core";
  execv(engine.c_str(), argv);
  throw SystemError("[tinta] cannot start its engine " + engine.string(), errno);
}

}  // namespace tinta::cli
