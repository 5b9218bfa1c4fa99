#pragma once

namespace tinta::cli {

/// Replaces this program with the engine, tinta-core beside it, with the same arguments.
/// @param argv as main() got it
/// @throws SystemError when there is no engine or it cannot be started; else does not return
[[noreturn]] void become_engine(char** argv);

}  // namespace tinta::cli
