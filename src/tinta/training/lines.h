#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace tinta::training {

/// Cuts a file of lines back to those of steps up to `step`; a broken last line, as a kill leaves
/// it, goes too. Makes no file where there is none.
/// @param step_of the step of a line; nothing where it is none of the file's kind
/// @return how many others were none, and were left out
/// @throws SystemError
std::size_t cut_lines(
    const std::filesystem::path& path, std::uint64_t step,
    const std::function<std::optional<std::uint64_t>(const std::string&)>& step_of);

}  // namespace tinta::training
