#pragma once

#include <filesystem>

namespace tinta::cli {

/// tinta-core beside this program. @throws SystemError
std::filesystem::path engine_path();

/// Replaces this program with the engine, tinta-core beside it, with the same arguments.
/// @param argv as main() got it
/// @throws SystemError when there is no engine or it cannot be started; else does not return
[[noreturn]] void become_engine(char** argv);

}  // namespace tinta::cli
