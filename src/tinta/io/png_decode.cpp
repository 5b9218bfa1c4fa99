#include <ATen/ops/empty.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/png.h"
#include "tinta/io/png_chunks.h"

namespace tinta::io {
namespace {

constexpr std::uint64_t kMaxPixels = std::uint64_t{1} << 28;
constexpr std::uint64_t kMaxExpansion = 1032;  // deflate's: 258 bytes from two bits

/// Reads one PNG through libpng. libpng reports errors by longjmp: the methods that call it are
/// noexcept, return false on an error, and hold no local variable with a destructor.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : unread_(bytes), size_(bytes.size()) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Decoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Reads up to the pixels and asks for 8 bits a sample, palettes and transparency expanded.
  bool read_header() noexcept {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_read_fn(png_, this, on_read);
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  /// @param rows height() pointers to row_bytes() bytes each
  bool read_pixels(png_bytepp rows) noexcept {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  [[nodiscard]] std::size_t width() const { return png_get_image_width(png_, info_); }
  [[nodiscard]] std::size_t height() const { return png_get_image_height(png_, info_); }
  [[nodiscard]] std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
  [[nodiscard]] std::size_t channels() const { return png_get_channels(png_, info_); }

  [[noreturn]] void fail(const std::string& path) const {
    throw DataError(path, "expected a well-formed PNG, got: " + std::string(error_.data()),
                    size_ - unread_.size());
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& error = static_cast<Decoder*>(png_get_error_ptr(png))->error_;
    std::snprintf(error.data(), error.size(), "%s", message);
    png_longjmp(png, 1);
  }

  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep out, std::size_t length) {
    auto& unread = static_cast<Decoder*>(png_get_io_ptr(png))->unread_;
    if (length > unread.size()) png_error(png, "the end of the file");
    std::memcpy(out, unread.data(), length);
    unread = unread.subspan(length);
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::span<const std::byte> unread_;
  std::size_t size_;
  std::array<char, 128> error_{};
};

// Refuses a picture that its data cannot fill, before any memory is taken for it.
void check_size(const std::vector<PngChunk>& chunks, const std::string& path) {
  const PngChunk& first = chunks.front();
  ByteReader header(first.data, path, first.offset);
  const std::uint64_t width = header.big_endian<std::uint32_t>("PNG width");
  const std::uint64_t height = header.big_endian<std::uint32_t>("PNG height");
  const auto depth = header.big_endian<std::uint8_t>("PNG bit depth");
  const auto colour_type = header.big_endian<std::uint8_t>("PNG colour type");
  if (width * height > kMaxPixels) {
    throw DataError(path,
                    "expected at most 2^28 pixels, got " + std::to_string(width) + " x " +
                        std::to_string(height),
                    first.offset);
  }
  constexpr std::array<std::uint64_t, 7> kSamples{1, 0, 3, 1, 2, 0, 4};  // by colour type
  const std::uint64_t samples = colour_type < kSamples.size() ? kSamples[colour_type] : 0;
  const std::uint64_t needed = width * height * samples * depth / 8;
  std::uint64_t packed = 0;
  for (const PngChunk& chunk : chunks) packed += chunk.type == "IDAT" ? chunk.data.size() : 0;
  if (needed > kMaxExpansion * packed) {
    throw DataError(path,
                    "expected picture data that can unpack to " + std::to_string(needed) +
                        " bytes, got " + std::to_string(packed),
                    first.offset);
  }
}

/// Interleaved samples of a picture, as libpng leaves them.
struct Samples {
  std::vector<png_byte> bytes;
  std::size_t pixels = 0;
  std::size_t channels = 0;
};

// Writes one plane for each colour, blended on white where the picture has alpha.
void separate(const Samples& in, std::size_t colours, std::uint8_t* out) {
  const bool alpha = in.channels != colours;
  for (std::size_t i = 0; i < in.pixels; ++i) {
    const png_byte* pixel = in.bytes.data() + i * in.channels;
    const unsigned opacity = alpha ? pixel[colours] : 255u;
    for (std::size_t c = 0; c < colours; ++c) {
      const unsigned blended = (pixel[c] * opacity + 255u * (255u - opacity) + 127u) / 255u;
      out[c * in.pixels + i] = static_cast<std::uint8_t>(blended);
    }
  }
}

}  // namespace

at::Tensor decode_png(std::span<const std::byte> bytes, const std::string& path) {
  check_size(png_chunks(bytes, path), path);
  Decoder decoder(bytes);
  if (!decoder.read_header()) decoder.fail(path);
  const std::size_t width = decoder.width(), height = decoder.height();
  Samples samples{.bytes = std::vector<png_byte>(height * decoder.row_bytes()),
                  .pixels = height * width,
                  .channels = decoder.channels()};
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = samples.bytes.data() + y * decoder.row_bytes();
  if (!decoder.read_pixels(rows.data())) decoder.fail(path);

  const std::size_t colours = samples.channels >= 3 ? 3 : 1;
  at::Tensor image =
      at::empty({static_cast<std::int64_t>(colours), static_cast<std::int64_t>(height),
                 static_cast<std::int64_t>(width)},
                at::kByte);
  separate(samples, colours, image.mutable_data_ptr<std::uint8_t>());
  return image;
}

}  // namespace tinta::io
