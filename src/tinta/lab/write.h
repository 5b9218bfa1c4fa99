#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/lab/row.h"

namespace tinta::lab {

/// Pixels of a PNG figure per point: 216 to the inch.
inline constexpr double kPixelsPerPoint = 3;

/// "0.0312", six digits at most.
std::string short_number(double value);

enum class Status { pass, fail, skip };
std::string to_string(Status status);
Status status_of(const Result& result);

/// A row's result as the JSON object that NAME.json holds, without a newline at the end.
/// @param indent spaces per level
std::string to_json(const std::string& name, const Context& context, const Result& result,
                    int indent = 2);

/// A row's result as text for a terminal: status, reading, a line for each check.
std::string to_text(const std::string& name, const Result& result);

/// Names of the files that write_result() writes, NAME.json last.
std::vector<std::string> files_of(const std::string& name, const Result& result);

/// Writes figures (PNG, SVG), the animation (WebP), the arrays (npz), and last, so that it says
/// that all is there, NAME.json.
/// @throws ArgumentError when a file exists and `existing` is refuse, SystemError
void write_result(const std::filesystem::path& folder, const std::string& name,
                  const Context& context, const Result& result, Existing existing);

}  // namespace tinta::lab
