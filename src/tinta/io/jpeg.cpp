#include <ATen/ops/empty.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

// jpeglib.h uses FILE and size_t of cstdio and must come behind it.
#include <jpeglib.h>

#include <jerror.h>

#include "tinta/core/error.h"
#include "tinta/io/image_formats.h"

namespace tinta::io {
namespace {

constexpr int kMaxScans = 200;  // a progressive file of few bytes may ask for many passes
constexpr long kMaxMemory = 2L << 30;
// A block of 8 x 8 pixels takes at least a bit of the scan that says how bright it is.
constexpr std::uint64_t kMaxPixelsPerByte = 512;

/// Reads one JPEG through libjpeg. libjpeg reports errors by a call that must not return: the
/// methods that use it are noexcept, return false on an error, and hold no local variable with a
/// destructor.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : bytes_(bytes) {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    progress_.progress_monitor = on_progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&jpeg_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  bool read_header() noexcept {
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    jpeg_.progress = &progress_;
    jpeg_.mem->max_memory_to_use = kMaxMemory;
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes_.data()),
                 static_cast<unsigned long>(bytes_.size()));
    jpeg_save_markers(&jpeg_, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(&jpeg_, TRUE);
    return true;
  }

  /// Chooses the colours and begins. Afterwards colours() and rows are known.
  bool start() noexcept {
    if (setjmp(jump_) != 0) return false;
    if (jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK) {
      jpeg_.out_color_space = JCS_CMYK;
    } else if (jpeg_.jpeg_color_space == JCS_GRAYSCALE) {
      jpeg_.out_color_space = JCS_GRAYSCALE;
    } else {
      jpeg_.out_color_space = JCS_RGB;
    }
    // The exact transform: the same pixels on every machine, and those of other programs.
    jpeg_.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg_);
    return true;
  }

  /// @param out height() rows of width() * samples() bytes
  bool read_pixels(unsigned char* out) noexcept {
    if (setjmp(jump_) != 0) return false;
    const std::size_t row = width() * samples();
    while (jpeg_.output_scanline < jpeg_.output_height) {
      JSAMPROW line = out + jpeg_.output_scanline * row;
      jpeg_read_scanlines(&jpeg_, &line, 1);
    }
    jpeg_finish_decompress(&jpeg_);
    return true;
  }

  [[nodiscard]] std::size_t width() const { return jpeg_.image_width; }
  [[nodiscard]] std::size_t height() const { return jpeg_.image_height; }
  [[nodiscard]] std::size_t samples() const {
    return static_cast<std::size_t>(jpeg_.out_color_components);
  }
  [[nodiscard]] bool arithmetic() const { return jpeg_.arith_code != 0; }
  /// Adobe's programs write CMYK inverted and say so by a marker.
  [[nodiscard]] bool inverted() const { return jpeg_.saw_Adobe_marker != 0; }

  [[nodiscard]] int orientation() const {
    constexpr std::array<char, 6> kExif{'E', 'x', 'i', 'f', '\0', '\0'};
    for (auto* marker = jpeg_.marker_list; marker != nullptr; marker = marker->next) {
      const std::span data(marker->data, marker->data_length);
      if (data.size() < kExif.size() || std::memcmp(data.data(), kExif.data(), kExif.size()) != 0) {
        continue;
      }
      return exif_orientation(std::as_bytes(data.subspan(kExif.size())));
    }
    return 1;
  }

  [[noreturn]] void fail(const std::string& path) const {
    const std::size_t left = jpeg_.src != nullptr ? jpeg_.src->bytes_in_buffer : bytes_.size();
    throw DataError(path, "expected a whole, well-formed JPEG, got: " + std::string(error_.data()),
                    left <= bytes_.size() ? bytes_.size() - left : bytes_.size());
  }

 private:
  static Decoder& self(j_common_ptr jpeg) { return *static_cast<Decoder*>(jpeg->client_data); }

  [[noreturn]] static void on_error(j_common_ptr jpeg) {
    jpeg->err->format_message(jpeg, self(jpeg).error_.data());
    std::longjmp(self(jpeg).jump_, 1);
  }
  // What libjpeg would repair by guessing (a level of -1) is damage, but for the padding that some
  // cameras leave between markers; above are only traces.
  static void on_message(j_common_ptr jpeg, int level) {
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) on_error(jpeg);
  }
  static void on_progress(j_common_ptr jpeg) {
    if (jpeg->is_decompressor == 0) return;
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
    std::snprintf(self(jpeg).error_.data(), JMSG_LENGTH_MAX, "more than %d scans", kMaxScans);
    std::longjmp(self(jpeg).jump_, 1);
  }

  std::span<const std::byte> bytes_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> error_{};
};

// Refuses a picture that its data cannot fill, before any memory is taken for it.
void check_filled(const Decoder& decoder, std::size_t size, const std::string& path) {
  if (decoder.arithmetic()) {
    throw DataError(path, "expected a JPEG with Huffman codes, got arithmetic coding");
  }
  if (decoder.width() * decoder.height() <= kMaxPixelsPerByte * size) return;
  throw DataError(path, "expected data for " + std::to_string(decoder.width()) + " x " +
                            std::to_string(decoder.height()) + " pixels, got " +
                            std::to_string(size) + " bytes");
}

// One plane for each colour.
void separate(const std::vector<unsigned char>& in, std::size_t samples, std::uint8_t* out) {
  const std::size_t pixels = in.size() / samples;
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < samples; ++c) out[c * pixels + i] = in[i * samples + c];
  }
}

// Ink on white: each colour is what its ink and black let through.
void separate_inks(const std::vector<unsigned char>& in, bool inverted, std::uint8_t* out) {
  const std::size_t pixels = in.size() / 4;
  const unsigned flip = inverted ? 0 : 255;
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned black = in[i * 4 + 3] ^ flip;
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned light = in[i * 4 + c] ^ flip;
      out[c * pixels + i] = static_cast<std::uint8_t>((light * black + 127) / 255);
    }
  }
}

}  // namespace

at::Tensor decode_jpeg(std::span<const std::byte> bytes, const std::string& path) {
  Decoder decoder(bytes);
  if (!decoder.read_header()) decoder.fail(path);
  check_picture_size(decoder.width(), decoder.height(), path);
  check_filled(decoder, bytes.size(), path);
  if (!decoder.start()) decoder.fail(path);
  // Reading the pixels to their end frees the markers.
  const int orientation = decoder.orientation();
  const std::size_t samples = decoder.samples();
  std::vector<unsigned char> pixels(decoder.height() * decoder.width() * samples);
  if (!decoder.read_pixels(pixels.data())) decoder.fail(path);
  const std::int64_t colours = samples == 1 ? 1 : 3;
  at::Tensor image = at::empty({colours, static_cast<std::int64_t>(decoder.height()),
                                static_cast<std::int64_t>(decoder.width())},
                               at::kByte);
  if (samples == 4) {
    separate_inks(pixels, decoder.inverted(), image.mutable_data_ptr<std::uint8_t>());
  } else {
    separate(pixels, samples, image.mutable_data_ptr<std::uint8_t>());
  }
  return upright(image, orientation);
}

}  // namespace tinta::io
