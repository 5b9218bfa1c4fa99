#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tinta::io {

/// Named tensors in a given order, and free text.
struct TensorFile {
  std::vector<std::pair<std::string, at::Tensor>> tensors{};
  std::map<std::string, std::string> metadata{};

  /// @throws ArgumentError naming the tensor (nearest name suggested) when it is absent
  [[nodiscard]] const at::Tensor& at(const std::string& name) const;
};

/// The safetensors format: 8-byte little-endian header size, JSON header,
/// data. The header is padded with spaces to 8 bytes. dtypes: F64 F32 F16 BF16 I64 I32 I16 I8 U8
/// BOOL. Equal tensors in equal order give equal bytes.
std::vector<std::byte> encode_safetensors(const TensorFile& file);

/// Strict: header size within the file and under 100 MB, JSON without duplicate keys or deep
/// nesting, offsets that are contiguous, cover the data exactly, and match dtype and shape.
/// @return tensors that own their memory, in the order of their offsets
/// @throws DataError with the byte offset
TensorFile decode_safetensors(std::span<const std::byte> bytes, const std::string& path);

}  // namespace tinta::io
