#include "tinta/figures/canvas.h"

#include <ATen/ops/empty.h>
#include <cairo-pdf.h>
#include <cairo-svg.h>

#include <cmath>
#include <cstring>
#include <new>
#include <span>
#include <string>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

constexpr double kMaxSide = 32767;

void check_status(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  if (status == CAIRO_STATUS_NO_MEMORY) throw std::bad_alloc();
  throw SystemError(std::string("[figures] cairo: ") + cairo_status_to_string(status));
}

}  // namespace

/// Where a vector drawing goes.
struct Canvas::Sink {
  std::vector<std::byte> bytes;
  bool out_of_memory = false;

  // An exception must not cross cairo's C frames.
  static cairo_status_t write(void* closure, const unsigned char* data, unsigned length) noexcept {
    auto* sink = static_cast<Sink*>(closure);
    try {
      const auto added = std::as_bytes(std::span(data, length));
      sink->bytes.insert(sink->bytes.end(), added.begin(), added.end());
    } catch (const std::exception&) {
      sink->out_of_memory = true;
      return CAIRO_STATUS_WRITE_ERROR;
    }
    return CAIRO_STATUS_SUCCESS;
  }
};

Canvas::Canvas(cairo_surface_t* surface, std::shared_ptr<Sink> sink)
    : sink_(std::move(sink)), surface_(surface), context_(cairo_create(surface)) {
  check();
  cairo_set_source_rgb(context(), 1, 1, 1);
  cairo_paint(context());
}

void Canvas::check() const {
  if (sink_ && sink_->out_of_memory) throw std::bad_alloc();
  check_status(cairo_surface_status(surface_.get()));
  if (context_) check_status(cairo_status(context_.get()));
}

Canvas Canvas::raster(Size size, double scale) {
  const double width = std::ceil(size.width * scale), height = std::ceil(size.height * scale);
  if (!(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide)) {
    throw ArgumentError("[figures] expected a picture of 1 to 32767 pixels a side, got " +
                        std::to_string(width) + " x " + std::to_string(height));
  }
  Canvas canvas(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width),
                                           static_cast<int>(height)),
                nullptr);
  cairo_scale(canvas.context(), scale, scale);
  return canvas;
}

Canvas Canvas::svg(Size size) {
  auto sink = std::make_shared<Sink>();
  cairo_surface_t* surface =
      cairo_svg_surface_create_for_stream(&Sink::write, sink.get(), size.width, size.height);
  return {surface, std::move(sink)};
}

Canvas Canvas::pdf(Size size) {
  auto sink = std::make_shared<Sink>();
  cairo_surface_t* surface =
      cairo_pdf_surface_create_for_stream(&Sink::write, sink.get(), size.width, size.height);
  // Equal figures are equal files: the time of drawing stays out.
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
  return {surface, std::move(sink)};
}

at::Tensor Canvas::pixels() const {
  check();
  cairo_surface_flush(surface_.get());
  const std::int64_t width = cairo_image_surface_get_width(surface_.get());
  const std::int64_t height = cairo_image_surface_get_height(surface_.get());
  const std::int64_t stride = cairo_image_surface_get_stride(surface_.get());
  const unsigned char* rows = cairo_image_surface_get_data(surface_.get());
  at::Tensor image = at::empty({3, height, width}, at::kByte);
  auto* out = image.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      std::uint32_t pixel = 0;
      std::memcpy(&pixel, rows + y * stride + x * 4, sizeof pixel);
      for (std::int64_t c = 0; c < 3; ++c) {
        out[(c * height + y) * width + x] = static_cast<std::uint8_t>(pixel >> (16 - 8 * c));
      }
    }
  }
  return image;
}

std::vector<std::byte> Canvas::finish() {
  check();
  cairo_surface_finish(surface_.get());
  check();
  return std::move(sink_->bytes);
}

bool is_vector(cairo_t* context) {
  const cairo_surface_type_t type = cairo_surface_get_type(cairo_get_group_target(context));
  return type == CAIRO_SURFACE_TYPE_SVG || type == CAIRO_SURFACE_TYPE_PDF;
}

}  // namespace tinta::figures
