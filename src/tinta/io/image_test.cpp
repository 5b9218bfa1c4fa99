#include "tinta/io/image.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tinta/core/error.h"
#include "tinta/io/golden_testing.h"
#include "tinta/io/image_formats.h"
#include "tinta/io/mutation_testing.h"
#include "tinta/io/npz.h"
#include "tinta/io/png.h"

namespace tinta::io {
namespace {

using testing::golden;
using ::testing::HasSubstr;
using testing::refusal;
using Bytes = std::vector<std::byte>;

std::string image_refusal(const Bytes& bytes) {
  return refusal([&] { decode_image(bytes, "f"); });
}

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class PictureGolden : public ::testing::TestWithParam<const char*> {};

// Expected pixels are what Pillow reads, in tests/golden/make_io_golden.py. It is built on the same
// libraries, whose versions may round a colour's conversion otherwise.
TEST_P(PictureGolden, HasThePixelsThatPillowReads) {
  const std::string name = GetParam();
  const at::Tensor expected = decode_npy(golden(name + ".npy"), name);
  const at::Tensor image = decode_image(golden(name), name);
  ASSERT_EQ(image.sizes(), expected.sizes());
  const auto off = (image.to(at::kInt) - expected.to(at::kInt)).abs();
  EXPECT_LE(off.max().item<int>(), 1);
}

INSTANTIATE_TEST_SUITE_P(EveryKind, PictureGolden,
                         ::testing::Values("rgb.jpeg", "full.jpeg", "progressive.jpeg", "grey.jpeg",
                                           "cmyk.jpeg", "turned1.jpeg", "turned2.jpeg",
                                           "turned3.jpeg", "turned4.jpeg", "turned5.jpeg",
                                           "turned6.jpeg", "turned7.jpeg", "turned8.jpeg",
                                           "lossy.webp", "lossless.webp", "alpha.webp",
                                           "lossy-alpha.webp"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
                           return name;
                         });

TEST(Image, APngIsReadAsOne) {
  const at::Tensor image = at::arange(12, at::kByte).view({1, 3, 4});
  EXPECT_TRUE(at::equal(decode_image(encode_png(image), "f"), image));
}

TEST(Image, OtherFormatsAreNamed) {
  EXPECT_THAT(image_refusal(golden("other.gif")),
              HasSubstr("expected a PNG, JPEG or WebP picture, got a GIF"));
  EXPECT_THAT(image_refusal(golden("other.bmp")), HasSubstr("got a BMP"));
  EXPECT_THAT(image_refusal(golden("other.tiff")), HasSubstr("got a TIFF"));
  EXPECT_THAT(image_refusal(golden("u1.npy")), HasSubstr("got a NumPy array"));
  EXPECT_THAT(image_refusal(golden("stored.npz")), HasSubstr("got a zip archive"));
  EXPECT_THAT(image_refusal(bytes_of("<svg xmlns=")), HasSubstr("got an SVG"));
  EXPECT_THAT(image_refusal(bytes_of("%PDF-1.5")), HasSubstr("got a PDF"));
  EXPECT_THAT(image_refusal(bytes_of("RIFF....WAVE")), HasSubstr("got something else"));
  EXPECT_THAT(image_refusal(bytes_of("words")), HasSubstr("got something else"));
  EXPECT_THAT(image_refusal({}), HasSubstr("got an empty file"));
  EXPECT_THAT(image_refusal(golden("animation.webp")), HasSubstr("got an animation"));
}

TEST(Image, AFileCutAnywhereIsRefused) {
  for (const std::string name : {"rgb.jpeg", "progressive.jpeg", "lossy.webp", "lossless.webp"}) {
    const Bytes whole = golden(name);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_NE(image_refusal(cut), "no error") << name << " " << size;
    }
  }
}

TEST(Image, AJpegOfMorePixelsThanItsDataCanFillTakesNoMemory) {
  Bytes bytes = golden("grey.jpeg");
  // Behind the marker of a baseline frame: length, depth, height, width.
  std::size_t frame = 0;
  while (bytes[frame] != std::byte{0xFF} || bytes[frame + 1] != std::byte{0xC0}) ++frame;
  for (std::size_t i = 5; i < 9; ++i) bytes[frame + i] = std::byte{0x3F};
  EXPECT_THAT(image_refusal(bytes), HasSubstr("expected data for 16191 x 16191 pixels"));
  for (std::size_t i = 5; i < 9; ++i) bytes[frame + i] = std::byte{0xFF};
  EXPECT_THAT(image_refusal(bytes), HasSubstr("got: "));
  for (std::size_t i = 5; i < 9; ++i) bytes[frame + i] = std::byte{0x50};
  EXPECT_THAT(image_refusal(bytes), HasSubstr("at most 2^28 pixels"));
}

TEST(Image, AnArithmeticJpegIsRefusedWithTheReason) {
  Bytes bytes = golden("grey.jpeg");
  std::size_t frame = 0;
  while (bytes[frame] != std::byte{0xFF} || bytes[frame + 1] != std::byte{0xC0}) ++frame;
  bytes[frame + 1] = std::byte{0xC9};
  EXPECT_THAT(image_refusal(bytes), HasSubstr("got arithmetic coding"));
}

TEST(Image, DamagedFilesAreRefusedOrReadNeverWorse) {
  const auto parse = [](std::span<const std::byte> bytes) { decode_image(bytes, "f"); };
  // Neither format has checksums: much damage only changes pixels.
  for (const std::string name : {"rgb.jpeg", "progressive.jpeg", "turned6.jpeg", "cmyk.jpeg"}) {
    EXPECT_GT(testing::refusals(golden(name), 1500, parse), 300) << name;
  }
  for (const std::string name : {"lossy.webp", "lossless.webp", "alpha.webp"}) {
    EXPECT_GT(testing::refusals(golden(name), 500, parse), 100) << name;
  }
}

TEST(Image, AnOrientationThatIsNotWholeOrNoneIsUpright) {
  const std::string_view little("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 22);
  const std::string_view big("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0", 22);
  EXPECT_EQ(exif_orientation(bytes_of(little)), 6);
  EXPECT_EQ(exif_orientation(bytes_of(big)), 8);
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(exif_orientation(bytes_of(little.substr(0, size))), 1) << size;
  }
  Bytes nine = bytes_of(little);
  nine[18] = std::byte{9};
  EXPECT_EQ(exif_orientation(nine), 1);
  Bytes far = bytes_of(little);
  far[7] = std::byte{0xFF};
  EXPECT_EQ(exif_orientation(far), 1);
}

TEST(Resize, KeepsConstantsAndEndsAndAveragesWhenSmaller) {
  const at::Tensor flat = at::full({3, 7, 5}, 77, at::kByte);
  EXPECT_TRUE(at::equal(resize(flat, 13, 2), at::full({3, 13, 2}, 77, at::kByte)));
  const at::Tensor image = at::arange(48, at::kByte).view({3, 4, 4});
  EXPECT_TRUE(at::equal(resize(image, 4, 4), image));
  // Stripes of one pixel, antialiased, become grey and not stripes.
  const at::Tensor stripes =
      (at::arange(64).view({1, 1, 64}) % 2 * 255).expand({1, 64, 64}).to(at::kByte);
  const at::Tensor small = resize(stripes, 8, 8).slice(2, 1, 7).to(at::kInt);
  EXPECT_LE((small - 127).abs().max().item<int>(), 8);
  // An overshooting cubic is clamped, not wrapped.
  const at::Tensor step =
      at::cat({at::zeros({1, 4, 4}), at::full({1, 4, 4}, 255)}, 2).to(at::kByte);
  const at::Tensor large = resize(step, 16, 32).to(at::kInt);
  EXPECT_EQ(large.slice(2, 0, 8).max().item<int>(), 0);
  EXPECT_EQ(large.slice(2, 24, 32).min().item<int>(), 255);
}

TEST(Resize, WrongArgumentsAreTheCallersFault) {
  const at::Tensor image = at::zeros({1, 2, 2}, at::kByte);
  EXPECT_THROW(resize(image, 0, 2), ArgumentError);
  EXPECT_THROW(resize(image, 2, -1), ArgumentError);
  EXPECT_THROW(resize(image[0], 2, 2), ArgumentError);
  EXPECT_THROW(resize(image.to(at::kFloat), 2, 2), ArgumentError);
  EXPECT_THROW(resize(at::Tensor(), 2, 2), ArgumentError);
  EXPECT_THROW(resize(at::zeros({1, 0, 2}, at::kByte), 2, 2), ArgumentError);
}

}  // namespace
}  // namespace tinta::io
