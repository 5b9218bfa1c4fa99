#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <new>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/png.h"

namespace tinta::io {
namespace {

constexpr std::int64_t kMaxSide = 1'000'000;  // libpng's own limit

/// A picture as libpng takes it; all of it lives outside of the functions that longjmp crosses.
struct Picture {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int colour_type = PNG_COLOR_TYPE_GRAY;
  std::vector<png_bytep> rows;
  std::vector<::png_text> text;
  std::array<char, 128> error{};
  std::vector<std::byte> out;
  bool out_of_memory = false;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* picture = static_cast<Picture*>(png_get_error_ptr(png));
  std::snprintf(picture->error.data(), picture->error.size(), "%s", message);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_write(png_structp png, png_bytep data, std::size_t length) {
  auto* picture = static_cast<Picture*>(png_get_io_ptr(png));
  // An exception must not cross libpng's C frames.
  try {
    append(picture->out, std::as_bytes(std::span(data, length)));
    return;
  } catch (const std::bad_alloc&) {
    picture->out_of_memory = true;
  }
  png_error(png, "out of memory");
}

// Everything that may longjmp. No local variable here has a destructor.
bool write_picture(png_structp png, png_infop info, Picture& picture) noexcept {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_write_fn(png, &picture, on_write, nullptr);
  png_set_IHDR(png, info, picture.width, picture.height, 8, picture.colour_type, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_text(png, info, picture.text.data(), static_cast<int>(picture.text.size()));
  png_write_info(png, info);
  png_write_image(png, picture.rows.data());
  png_write_end(png, info);
  return true;
}

void check_image(const at::Tensor& image) {
  const bool shaped = image.defined() && image.dim() == 3 &&
                      (image.size(0) == 1 || image.size(0) == 3) && image.size(1) >= 1 &&
                      image.size(2) >= 1 && image.size(1) <= kMaxSide && image.size(2) <= kMaxSide;
  if (shaped && image.scalar_type() == at::kByte && image.device().is_cpu()) return;
  std::string got = "an undefined tensor";
  if (image.defined()) {
    got = std::string(c10::toString(image.scalar_type())) + " [";
    for (const std::int64_t size : image.sizes()) got += std::to_string(size) + ",";
    got += "] on " + image.device().str();
  }
  throw ArgumentError("[encode_png] expected [C,H,W] uint8 on the CPU, C = 1 or 3, sides of 1 to " +
                      std::to_string(kMaxSide) + ", got " + got);
}

::png_text text_chunk(const std::string& key, const std::string& value) {
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable || key.empty() || key.size() > 79 || key.front() == ' ' || key.back() == ' ' ||
      key.find("  ") != std::string::npos) {
    throw ArgumentError("[encode_png] expected a key of 1 to 79 printable characters, got " +
                        shown(key));
  }
  if (value.find('\0') != std::string::npos) {
    throw ArgumentError("[encode_png] expected text without zero bytes for " + shown(key) +
                        ", got one");
  }
  const bool ascii = std::all_of(value.begin(), value.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  ::png_text chunk{};
  // tEXt is Latin-1 by definition; UTF-8 has a chunk of its own.
  chunk.compression = ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  // libpng's structure lacks const; it copies both texts and changes neither.
  chunk.key = const_cast<char*>(key.c_str());
  chunk.text = const_cast<char*>(value.c_str());
  chunk.text_length = value.size();
  chunk.itxt_length = ascii ? 0 : value.size();
  return chunk;
}

}  // namespace

std::vector<std::byte> encode_png(const at::Tensor& image,
                                  const std::map<std::string, std::string>& text) {
  check_image(image);
  const at::Tensor interleaved = image.permute({1, 2, 0}).contiguous();
  Picture picture;
  picture.height = static_cast<std::uint32_t>(image.size(1));
  picture.width = static_cast<std::uint32_t>(image.size(2));
  picture.colour_type = image.size(0) == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
  auto* pixels = interleaved.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < image.size(1); ++y) {
    picture.rows.push_back(pixels + y * image.size(2) * image.size(0));
  }
  for (const auto& [key, value] : text) picture.text.push_back(text_chunk(key, value));

  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &picture, on_error, on_warning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  const bool written = info != nullptr && write_picture(png, info, picture);
  png_destroy_write_struct(&png, &info);
  const bool silent = !written && picture.error[0] == '\0';  // the structures were not made
  if (silent || picture.out_of_memory) throw std::bad_alloc();
  if (!written) throw SystemError(std::string("[encode_png] libpng: ") + picture.error.data());
  return std::move(picture.out);
}

}  // namespace tinta::io
