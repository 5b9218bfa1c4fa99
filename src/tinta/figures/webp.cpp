#include <ATen/ATen.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <cmath>
#include <memory>
#include <new>
#include <span>
#include <string>

#include "tinta/core/error.h"
#include "tinta/figures/render.h"

namespace tinta::figures {
namespace {

constexpr int kEffort = 3;  // of 6: beyond it frames grow smaller by little and take much longer

struct DeleteEncoder {
  void operator()(WebPAnimEncoder* encoder) const { WebPAnimEncoderDelete(encoder); }
};
using Encoder = std::unique_ptr<WebPAnimEncoder, DeleteEncoder>;

void require(bool done, const char* what) {
  if (!done) throw SystemError(std::string("[to_webp] libwebp: ") + what);
}

void require(bool done, WebPAnimEncoder* encoder) {
  if (!done) require(false, WebPAnimEncoderGetError(encoder));
}

void check_frames(const Animation& animation) {
  if (animation.frames.empty()) {
    throw ArgumentError("[to_webp] expected at least one frame, got none");
  }
  if (!(animation.frames_per_second > 0 && animation.frames_per_second <= 1000)) {
    throw ArgumentError("[to_webp] expected above 0 and at most 1000 frames a second, got " +
                        std::to_string(animation.frames_per_second));
  }
  const at::Tensor& first = animation.frames.front();
  for (std::size_t i = 0; i < animation.frames.size(); ++i) {
    const at::Tensor& frame = animation.frames[i];
    const bool fits = frame.defined() && frame.dim() == 3 && frame.scalar_type() == at::kByte &&
                      frame.size(0) == 3 && frame.size(1) >= 1 && frame.size(2) >= 1 &&
                      frame.size(1) <= WEBP_MAX_DIMENSION && frame.size(2) <= WEBP_MAX_DIMENSION;
    if (!fits) {
      throw ArgumentError("[to_webp] frame " + std::to_string(i + 1) +
                          ": expected [3,H,W] uint8, sides of 1 to 16383, got another");
    }
    if (frame.sizes() != first.sizes()) {
      throw ArgumentError("[to_webp] frame " + std::to_string(i + 1) +
                          ": expected the size of the first frame, got another");
    }
  }
}

WebPConfig lossless() {
  WebPConfig config;
  require(WebPConfigInit(&config) != 0, "WebPConfigInit failed");
  config.lossless = 1;
  config.method = kEffort;
  config.quality = 60;
  require(WebPValidateConfig(&config) != 0, "the settings are not valid");
  return config;
}

/// A frame as libwebp takes it.
class FramePicture {
 public:
  explicit FramePicture(const at::Tensor& frame) {
    require(WebPPictureInit(&picture_) != 0, "WebPPictureInit failed");
    picture_.use_argb = 1;
    picture_.width = static_cast<int>(frame.size(2));
    picture_.height = static_cast<int>(frame.size(1));
    const at::Tensor rgb = frame.to(at::kCPU).permute({1, 2, 0}).contiguous();
    // The import allocates the picture, and frees nothing of it when it fails.
    if (WebPPictureImportRGB(&picture_, rgb.const_data_ptr<std::uint8_t>(), 3 * picture_.width) ==
        0) {
      WebPPictureFree(&picture_);
      throw std::bad_alloc();
    }
  }
  ~FramePicture() { WebPPictureFree(&picture_); }
  FramePicture(const FramePicture&) = delete;
  FramePicture& operator=(const FramePicture&) = delete;

  [[nodiscard]] WebPPicture* get() { return &picture_; }

 private:
  WebPPicture picture_;
};

std::vector<std::byte> assemble(WebPAnimEncoder* encoder) {
  WebPData data;
  WebPDataInit(&data);
  const bool assembled = WebPAnimEncoderAssemble(encoder, &data) != 0;
  const std::unique_ptr<WebPData, decltype(&WebPDataClear)> owner(&data, &WebPDataClear);
  require(assembled, encoder);
  const auto bytes = std::as_bytes(std::span(data.bytes, data.size));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::vector<std::byte> to_webp(const Animation& animation) {
  check_frames(animation);
  WebPAnimEncoderOptions options;
  require(WebPAnimEncoderOptionsInit(&options) != 0, "WebPAnimEncoderOptionsInit failed");
  options.anim_params.loop_count = 0;  // for ever
  const at::Tensor& first = animation.frames.front();
  const Encoder encoder(WebPAnimEncoderNew(static_cast<int>(first.size(2)),
                                           static_cast<int>(first.size(1)), &options));
  if (!encoder) throw std::bad_alloc();
  const WebPConfig config = lossless();
  const auto time_of = [&](std::size_t frame) {
    return static_cast<int>(
        std::lround(1000.0 * static_cast<double>(frame) / animation.frames_per_second));
  };
  for (std::size_t i = 0; i < animation.frames.size(); ++i) {
    FramePicture picture(animation.frames[i]);
    require(WebPAnimEncoderAdd(encoder.get(), picture.get(), time_of(i), &config) != 0,
            encoder.get());
  }
  // A last call without a picture says when the last frame ends.
  require(
      WebPAnimEncoderAdd(encoder.get(), nullptr, time_of(animation.frames.size()), nullptr) != 0,
      encoder.get());
  return assemble(encoder.get());
}

}  // namespace tinta::figures
