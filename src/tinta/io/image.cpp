#include "tinta/io/image.h"

#include <ATen/ATen.h>

#include <array>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/io/image_formats.h"
#include "tinta/io/png.h"

namespace tinta::io {
namespace {

constexpr std::uint64_t kMaxSide = 1'000'000;
constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28;

/// How a file of some kind begins. `second`, where there is one, stands at byte `at`.
struct Magic {
  std::string_view name;
  std::string_view first;
  std::string_view second{};
  std::size_t at = 0;
};

using namespace std::string_view_literals;
constexpr std::string_view kPng = "a PNG", kJpeg = "a JPEG", kWebp = "a WebP";
constexpr std::array kMagics{
    Magic{kPng, "\x89PNG\r\n\x1a\n"sv},
    Magic{kJpeg, "\xFF\xD8\xFF"sv},
    Magic{kWebp, "RIFF"sv, "WEBP"sv, 8},
    Magic{"a GIF", "GIF8"sv},
    Magic{"a BMP", "BM"sv},
    Magic{"a TIFF", "II*\0"sv},
    Magic{"a TIFF", "MM\0*"sv},
    Magic{"an AVIF", ""sv, "ftypavif"sv, 4},
    Magic{"a HEIF", ""sv, "ftyp"sv, 4},
    Magic{"a JPEG XL", "\xFF\x0A"sv},
    Magic{"a JPEG XL", "\0\0\0\x0CJXL "sv},
    Magic{"a JPEG 2000", "\0\0\0\x0CjP  "sv},
    Magic{"a PDF", "%PDF"sv},
    Magic{"an SVG", "<svg"sv},
    Magic{"an XML file, perhaps an SVG", "<?xml"sv},
    Magic{"a netpbm picture", "P5"sv},
    Magic{"a netpbm picture", "P6"sv},
    Magic{"a Photoshop file", "8BPS"sv},
    Magic{"an OpenEXR file", "\x76\x2F\x31\x01"sv},
    Magic{"an icon", "\0\0\1\0"sv},
    Magic{"a NumPy array", "\x93NUMPY"sv},
    Magic{"a zip archive", "PK\3\4"sv},
    Magic{"a gzip file", "\x1F\x8B"sv},
};

bool stands_at(std::string_view text, std::string_view part, std::size_t at) {
  return text.size() >= at && text.substr(at).starts_with(part);
}

// What a file is, as far as its first bytes tell.
std::string_view kind_of(std::string_view text) {
  if (text.empty()) return "an empty file";
  for (const Magic& magic : kMagics) {
    if (stands_at(text, magic.first, 0) && stands_at(text, magic.second, magic.at)) {
      return magic.name;
    }
  }
  return "something else";
}

}  // namespace

void check_picture_size(std::uint64_t width, std::uint64_t height, const std::string& path) {
  if (width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide &&
      width * height <= kMaxPixels) {
    return;
  }
  throw DataError(path, "expected sides of 1 to 10^6 and at most 2^28 pixels, got " +
                            std::to_string(width) + " x " + std::to_string(height));
}

at::Tensor decode_image(std::span<const std::byte> bytes, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view kind = kind_of(text);
  if (kind == kPng) return decode_png(bytes, path);
  if (kind == kJpeg) return decode_jpeg(bytes, path);
  if (kind == kWebp) return decode_webp(bytes, path);
  throw DataError(path, "expected a PNG, JPEG or WebP picture, got " + std::string(kind), 0);
}

at::Tensor resize(const at::Tensor& image, std::int64_t height, std::int64_t width) {
  if (!image.defined() || image.dim() != 3 || image.scalar_type() != at::kByte ||
      image.numel() == 0 || height < 1 || width < 1) {
    throw ArgumentError("[resize] expected a picture [C,H,W] uint8 and sides of at least 1");
  }
  const at::Tensor wide = image.to(at::kFloat).unsqueeze(0);
  return at::_upsample_bicubic2d_aa(wide, {height, width}, false)
      .round()
      .clamp(0, 255)
      .to(at::kByte)
      .squeeze(0);
}

}  // namespace tinta::io
