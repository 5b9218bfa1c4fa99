#include "tinta/io/tensor_bytes.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "tinta/core/error.h"

namespace tinta::io {

static_assert(std::endian::native == std::endian::little,
              "elements are copied to and from little-endian files as they are");

std::optional<std::uint64_t> byte_count(at::IntArrayRef sizes, std::uint64_t element_bytes) {
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t total = element_bytes;
  bool empty = false;
  for (const std::int64_t size : sizes) {
    if (size < 0) return std::nullopt;
    if (size == 0) {
      empty = true;
    } else if (static_cast<std::uint64_t>(size) > kLimit / total) {
      return std::nullopt;
    } else {
      total *= static_cast<std::uint64_t>(size);
    }
  }
  return empty ? 0 : total;
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
}

at::Tensor tensor_from_bytes(std::span<const std::byte> bytes, at::IntArrayRef shape,
                             at::ScalarType type, const std::string& path, std::uint64_t offset) {
  if (type == at::kBool) {
    // Any other value in a C++ bool is undefined behaviour.
    const auto wrong = std::find_if(bytes.begin(), bytes.end(),
                                    [](std::byte b) { return std::to_integer<int>(b) > 1; });
    if (wrong != bytes.end()) {
      throw DataError(
          path, "expected booleans of 0 or 1, got " + std::to_string(std::to_integer<int>(*wrong)),
          offset + static_cast<std::uint64_t>(wrong - bytes.begin()));
    }
  }
  at::Tensor tensor = at::empty(shape, type);
  if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace tinta::io
