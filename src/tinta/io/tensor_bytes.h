#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tinta::io {

/// Bytes that an array of these sizes takes, or nothing when a 63-bit integer cannot hold it. A
/// size of zero counts as one towards the limit, so that strides cannot overflow either.
std::optional<std::uint64_t> byte_count(at::IntArrayRef sizes, std::uint64_t element_bytes);

/// The elements of a contiguous tensor on the CPU, in C order.
std::span<const std::byte> bytes_of(const at::Tensor& tensor);

/// A tensor that owns a copy of `bytes`, of which there are as many as `shape` and `type` say.
/// @param offset of `bytes` in the file `path`
/// @throws DataError when a boolean is neither 0 nor 1
at::Tensor tensor_from_bytes(std::span<const std::byte> bytes, at::IntArrayRef shape,
                             at::ScalarType type, const std::string& path, std::uint64_t offset);

}  // namespace tinta::io
