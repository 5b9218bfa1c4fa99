#include <ATen/ops/empty.h>
#include <webp/decode.h>

#include <vector>

#include "tinta/core/error.h"
#include "tinta/io/image_formats.h"

namespace tinta::io {
namespace {

std::string reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the end of the file";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a feature that libwebp does not know";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "damaged data";
    default:
      return "an error of libwebp, number " + std::to_string(static_cast<int>(status));
  }
}

[[noreturn]] void fail(const std::string& path, VP8StatusCode status) {
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  throw DataError(path, "expected a whole, well-formed WebP, got " + reason(status));
}

}  // namespace

at::Tensor decode_webp(std::span<const std::byte> bytes, const std::string& path) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) {
    throw SystemError("[decode_webp] expected another version of libwebp, got one that differs");
  }
  const VP8StatusCode header = WebPGetFeatures(data, bytes.size(), &config.input);
  if (header != VP8_STATUS_OK) fail(path, header);
  if (config.input.has_animation != 0) {
    throw DataError(path, "expected a still WebP, got an animation");
  }
  const auto width = static_cast<std::size_t>(config.input.width);
  const auto height = static_cast<std::size_t>(config.input.height);
  check_picture_size(width, height, path);
  const bool alpha = config.input.has_alpha != 0;
  const std::size_t samples = alpha ? 4 : 3;
  std::vector<std::uint8_t> pixels(height * width * samples);
  config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), static_cast<int>(width * samples), pixels.size()};
  const VP8StatusCode status = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) fail(path, status);

  at::Tensor image = at::empty(
      {3, static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)}, at::kByte);
  auto* out = image.mutable_data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < height * width; ++i) {
    const unsigned opacity = alpha ? pixels[i * samples + 3] : 255u;
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned blended =
          (pixels[i * samples + c] * opacity + 255u * (255u - opacity) + 127u) / 255u;
      out[c * height * width + i] = static_cast<std::uint8_t>(blended);
    }
  }
  return image;
}

}  // namespace tinta::io
