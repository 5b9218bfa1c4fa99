#pragma once

#include <functional>
#include <optional>
#include <string>

namespace tinta::cli {

/// The value of an environment variable; none where it is unset or empty. An argument, so that
/// tests need not touch the process's own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own environment.
Environment process_environment();

}  // namespace tinta::cli
