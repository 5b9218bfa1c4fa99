#include <ATen/ATen.h>

#include <optional>

#include "tinta/io/image_formats.h"

namespace tinta::io {
namespace {

constexpr std::uint32_t kOrientation = 0x0112;
constexpr std::uint32_t kShort = 3;

/// Integers of a TIFF block in its own byte order; none beyond its end.
struct Tiff {
  std::span<const std::byte> bytes;
  bool big_endian;

  [[nodiscard]] std::optional<std::uint32_t> at(std::size_t offset, std::size_t size) const {
    if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = offset + (big_endian ? i : size - 1 - i);
      value = value << 8 | std::to_integer<std::uint32_t>(bytes[place]);
    }
    return value;
  }
};

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) {
  constexpr std::size_t kEntry = 12;
  if (tiff.size() < 8 || tiff[0] != tiff[1]) return 1;
  const bool big_endian = tiff[0] == std::byte{'M'};
  if (!big_endian && tiff[0] != std::byte{'I'}) return 1;
  const Tiff block{tiff, big_endian};
  const auto directory = block.at(4, 4);
  if (block.at(2, 2) != 42 || !directory) return 1;
  const auto entries = block.at(*directory, 2);
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    const std::size_t entry = *directory + 2 + i * kEntry;
    const auto value = block.at(entry + 8, 2);
    if (!value) return 1;
    if (block.at(entry, 2) != kOrientation) continue;
    if (block.at(entry + 2, 2) != kShort || *value < 1 || *value > 8) return 1;
    return static_cast<int>(*value);
  }
  return 1;
}

at::Tensor upright(const at::Tensor& image, int orientation) {
  // Exif 2.3, tag 0x0112: which sides of the scene the first row and the first column are.
  switch (orientation) {
    case 2:
      return image.flip({2});
    case 3:
      return image.flip({1, 2});
    case 4:
      return image.flip({1});
    case 5:
      return image.transpose(1, 2).contiguous();
    case 6:
      return image.transpose(1, 2).flip({2});
    case 7:
      return image.transpose(1, 2).flip({1, 2});
    case 8:
      return image.transpose(1, 2).flip({1});
    default:
      return image;
  }
}

}  // namespace tinta::io
