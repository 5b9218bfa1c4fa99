#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <webp/decode.h>
#include <webp/mux.h>

#include <memory>

#include "tinta/core/error.h"
#include "tinta/figures/render.h"

namespace tinta::figures {
namespace {

using Mux = std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)>;

Mux opened(const std::vector<std::byte>& file) {
  const WebPData data{reinterpret_cast<const std::uint8_t*>(file.data()), file.size()};
  return {WebPMuxCreate(&data, 1), &WebPMuxDelete};
}

at::Tensor frame(std::int64_t i) {
  at::Tensor image = at::full({3, 20, 30}, 255, at::kByte);
  image.slice(2, 5 * i, 5 * i + 4).slice(1, 3, 9).copy_(at::arange(4, at::kByte) * 7 + i);
  return image;
}

TEST(Webp, HasEveryFrameForItsTimeAndStartsAgain) {
  const std::vector<std::byte> file =
      to_webp({.frames = {frame(0), frame(1), frame(2)}, .frames_per_second = 8});
  const Mux mux = opened(file);
  ASSERT_NE(mux, nullptr);
  int frames = 0;
  ASSERT_EQ(WebPMuxNumChunks(mux.get(), WEBP_CHUNK_ANMF, &frames), WEBP_MUX_OK);
  EXPECT_EQ(frames, 3);
  WebPMuxAnimParams params;
  ASSERT_EQ(WebPMuxGetAnimationParams(mux.get(), &params), WEBP_MUX_OK);
  EXPECT_EQ(params.loop_count, 0);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    WebPMuxFrameInfo info;
    ASSERT_EQ(WebPMuxGetFrame(mux.get(), i, &info), WEBP_MUX_OK);
    EXPECT_EQ(info.duration, 125) << i;
    WebPDataClear(&info.bitstream);
  }
}

TEST(Webp, KeepsThePixels) {
  const Mux mux = opened(to_webp({.frames = {frame(0), frame(1)}}));
  ASSERT_NE(mux, nullptr);
  WebPMuxFrameInfo info;
  ASSERT_EQ(WebPMuxGetFrame(mux.get(), 1, &info), WEBP_MUX_OK);
  int width = 0, height = 0;
  std::uint8_t* rgb = WebPDecodeRGB(info.bitstream.bytes, info.bitstream.size, &width, &height);
  WebPDataClear(&info.bitstream);
  ASSERT_NE(rgb, nullptr);
  ASSERT_EQ(width, 30);
  ASSERT_EQ(height, 20);
  const at::Tensor image = at::from_blob(rgb, {20, 30, 3}, at::kByte).permute({2, 0, 1});
  EXPECT_TRUE(at::equal(image, frame(0)));
  WebPFree(rgb);
}

TEST(Webp, EqualFramesGiveEqualBytes) {
  const Animation animation{.frames = {frame(0), frame(1), frame(1)}};
  EXPECT_EQ(to_webp(animation), to_webp(animation));
}

TEST(Webp, FramesThatAreNoneOrDifferAreRefused) {
  EXPECT_THROW(to_webp({}), ArgumentError);
  EXPECT_THROW(to_webp({.frames = {frame(0), at::zeros({3, 20, 31}, at::kByte)}}), ArgumentError);
  EXPECT_THROW(to_webp({.frames = {frame(0).to(at::kFloat)}}), ArgumentError);
  EXPECT_THROW(to_webp({.frames = {at::Tensor()}}), ArgumentError);
  EXPECT_THROW(to_webp({.frames = {at::zeros({3, 1, 16384}, at::kByte)}}), ArgumentError);
  EXPECT_THROW(to_webp({.frames = {frame(0)}, .frames_per_second = 0}), ArgumentError);
}

}  // namespace
}  // namespace tinta::figures
