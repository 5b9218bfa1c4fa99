#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tinta::io {

/// The header's key for free text.
inline const std::string kMetadataKey = "__metadata__";

/// One tensor as the header describes it.
struct SafetensorsEntry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< offsets into the data, which follow the header
  std::uint64_t end = 0;
};

/// The format's name of a dtype. @throws ArgumentError, naming `tensor`, when it has none
std::string_view safetensors_dtype(at::ScalarType type, const std::string& tensor);

/// Reads the JSON header, which begins at byte 8 of the file.
/// @param metadata receives the free text
/// @return entries in the order of their offsets
/// @throws DataError on anything that the format does not allow
std::vector<SafetensorsEntry> read_safetensors_header(std::string_view text,
                                                      const std::string& path,
                                                      std::map<std::string, std::string>& metadata);

/// Checks that entries follow each other from 0 to the end of the data, each as long as its dtype
/// and shape say.
/// @param data_offset offset in the file of the data
/// @throws DataError
void check_safetensors_layout(const std::vector<SafetensorsEntry>& entries,
                              std::uint64_t data_bytes, std::uint64_t data_offset,
                              const std::string& path);

}  // namespace tinta::io
