#include <ATen/ATen.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "tinta/figures/contours.h"
#include "tinta/figures/draw_layers.h"
#include "tinta/figures/pen.h"
#include "tinta/io/image.h"

namespace tinta::figures {
namespace {

constexpr double kRasterScale = 5;    // pixels per point that a vector drawing's pictures need
constexpr std::int64_t kCrisp = 256;  // viewers that smooth pictures blur no more than this shows

struct DestroySurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};

/// Pixels as cairo takes them, 0xAARRGGBB.
class Pixels {
 public:
  Pixels(std::int64_t height, std::int64_t width)
      : height_(height),
        width_(width),
        zoom_(std::max<std::int64_t>(1, kCrisp / std::max(height, width))),
        surface_(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, static_cast<int>(width * zoom_),
                                            static_cast<int>(height * zoom_))) {
    if (cairo_surface_status(surface_.get()) != CAIRO_STATUS_SUCCESS) throw std::bad_alloc();
  }

  void set(std::int64_t row, std::int64_t column, std::uint32_t pixel) {
    unsigned char* data = cairo_image_surface_get_data(surface_.get());
    const std::int64_t stride = cairo_image_surface_get_stride(surface_.get());
    for (std::int64_t y = row * zoom_; y < (row + 1) * zoom_; ++y) {
      for (std::int64_t x = column * zoom_; x < (column + 1) * zoom_; ++x) {
        std::memcpy(data + y * stride + x * 4, &pixel, sizeof pixel);
      }
    }
  }

  /// Fills a part of the page.
  void draw(cairo_t* context, const Rect& rect) {
    cairo_surface_mark_dirty(surface_.get());
    const Saved saved(context);
    add_rectangle(context, rect);
    cairo_clip(context);
    cairo_translate(context, rect.x, rect.y);
    cairo_scale(context, rect.width / static_cast<double>(width_ * zoom_),
                rect.height / static_cast<double>(height_ * zoom_));
    cairo_set_source_surface(context, surface_.get(), 0, 0);
    // A vector drawing says a padded picture as a pattern, which not every viewer knows.
    cairo_pattern_set_extend(cairo_get_source(context),
                             is_vector(context) ? CAIRO_EXTEND_NONE : CAIRO_EXTEND_PAD);
    double x = 1, y = 1;
    cairo_user_to_device_distance(context, &x, &y);
    const bool larger = is_vector(context) || std::min(std::abs(x), std::abs(y)) * zoom() >= 1;
    cairo_pattern_set_filter(cairo_get_source(context),
                             larger ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BEST);
    cairo_paint(context);
  }

 private:
  [[nodiscard]] double zoom() const { return static_cast<double>(zoom_); }

  std::int64_t height_, width_, zoom_;
  std::unique_ptr<cairo_surface_t, DestroySurface> surface_;
};

std::uint32_t packed(const Rgb& color) {
  const auto byte = [](double channel) {
    return static_cast<std::uint32_t>(std::lround(255 * channel));
  };
  return 0xFF000000u | byte(color.r) << 16 | byte(color.g) << 8 | byte(color.b);
}

// The colour of a value; none for one that is none.
std::uint32_t pixel_of(const HeatMap& map, double value, Range colors) {
  if (std::isnan(value)) return 0;
  return packed(color_of(map.map, (value - colors.low) / (colors.high - colors.low)));
}

// On a logarithmic axis cells are not of one size.
void draw_cells(cairo_t* context, const View& view, const HeatMap& map, const at::Tensor& values,
                Range colors) {
  const std::int64_t height = values.size(0), width = values.size(1);
  const auto* value = values.const_data_ptr<double>();
  const double dx = (map.x_high - map.x_low) / static_cast<double>(width);
  const double dy = (map.y_high - map.y_low) / static_cast<double>(height);
  const Saved saved(context);
  add_rectangle(context, view.box);
  cairo_clip(context);
  cairo_set_antialias(context, CAIRO_ANTIALIAS_NONE);
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const double cell = value[row * width + column];
      if (std::isnan(cell)) continue;
      const double left = view.x.at_least(map.x_low + dx * static_cast<double>(column));
      const double right = view.x.at_least(map.x_low + dx * static_cast<double>(column + 1));
      const double low = view.y.at_least(map.y_low + dy * static_cast<double>(row));
      const double high = view.y.at_least(map.y_low + dy * static_cast<double>(row + 1));
      set_color(context, color_of(map.map, (cell - colors.low) / (colors.high - colors.low)));
      add_rectangle(context, {left, high, right - left, low - high});
      cairo_fill(context);
    }
  }
}

at::Tensor doubles(const at::Tensor& values) {
  return values.detach().to(at::kCPU, at::kDouble).contiguous();
}

// A picture with many more pixels than the page shows is made smaller first.
at::Tensor fitting(cairo_t* context, const Rect& rect, const at::Tensor& image) {
  double x = rect.width, y = rect.height;
  cairo_user_to_device_distance(context, &x, &y);
  const double scale = is_vector(context) ? kRasterScale : 1;
  const auto width = static_cast<std::int64_t>(std::ceil(std::abs(x) * scale));
  const auto height = static_cast<std::int64_t>(std::ceil(std::abs(y) * scale));
  const at::Tensor bytes = image.to(at::kCPU);
  if (image.size(2) <= width && image.size(1) <= height) return bytes.contiguous();
  return io::resize(bytes, std::max<std::int64_t>(1, std::min(height, image.size(1))),
                    std::max<std::int64_t>(1, std::min(width, image.size(2))))
      .contiguous();
}

}  // namespace

void draw_heat_map(cairo_t* context, const View& view, const HeatMap& map, Range colors) {
  const at::Tensor values = doubles(map.values);
  if (!view.x.linear() || !view.y.linear()) {
    draw_cells(context, view, map, values, colors);
    return;
  }
  const std::int64_t height = values.size(0), width = values.size(1);
  const auto* value = values.const_data_ptr<double>();
  Pixels pixels(height, width);
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      pixels.set(height - 1 - row, column, pixel_of(map, value[row * width + column], colors));
    }
  }
  const Point low = view.at(map.x_low, map.y_low), high = view.at(map.x_high, map.y_high);
  const Saved saved(context);
  add_rectangle(context, view.box);
  cairo_clip(context);
  pixels.draw(context, {low.x, high.y, high.x - low.x, low.y - high.y});
}

void draw_contours(cairo_t* context, const View& view, const Contours& contours) {
  const at::Tensor values = doubles(contours.values);
  const std::int64_t height = values.size(0), width = values.size(1);
  const std::span<const double> flat(values.const_data_ptr<double>(),
                                     static_cast<std::size_t>(values.numel()));
  const double dx = (contours.x_high - contours.x_low) / static_cast<double>(width);
  const double dy = (contours.y_high - contours.y_low) / static_cast<double>(height);
  const Saved saved(context);
  add_rectangle(context, view.box);
  cairo_clip(context);
  set_pen(context, contours.style);
  for (const double level : contours.levels) {
    for (const std::vector<Point>& line : contour_lines(flat, height, width, level)) {
      cairo_new_sub_path(context);
      for (const Point& point : line) {
        // A value belongs to the middle of its cell.
        const Point place =
            view.at(contours.x_low + dx * (point.x + 0.5), contours.y_low + dy * (point.y + 0.5));
        if (std::isnan(place.x) || std::isnan(place.y)) {
          cairo_new_sub_path(context);
        } else {
          cairo_line_to(context, place.x, place.y);
        }
      }
    }
  }
  cairo_stroke(context);
}

void draw_picture(cairo_t* context, const View& view, const Picture& picture) {
  const Point low = view.at(0, 0);
  const Point high = view.at(static_cast<double>(picture.image.size(2)),
                             static_cast<double>(picture.image.size(1)));
  const Rect rect{low.x, high.y, high.x - low.x, low.y - high.y};
  const at::Tensor image = fitting(context, rect, picture.image);
  const std::int64_t height = image.size(1), width = image.size(2), plane = height * width;
  const auto* bytes = image.const_data_ptr<std::uint8_t>();
  const std::int64_t step = image.size(0) == 3 ? plane : 0;
  Pixels pixels(height, width);
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const std::int64_t at = row * width + column;
      pixels.set(row, column,
                 0xFF000000u | std::uint32_t{bytes[at]} << 16 |
                     std::uint32_t{bytes[at + step]} << 8 | bytes[at + 2 * step]);
    }
  }
  const Saved saved(context);
  add_rectangle(context, view.box);
  cairo_clip(context);
  pixels.draw(context, rect);
}

void draw_ramp(cairo_t* context, const Rect& rect, ColorMap map) {
  constexpr std::int64_t kColors = 256, kAcross = 32;
  Pixels pixels(kColors, kAcross);
  for (std::int64_t i = 0; i < kColors; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(kColors - 1);
    const std::uint32_t pixel = packed(color_of(map, share));
    for (std::int64_t x = 0; x < kAcross; ++x) pixels.set(kColors - 1 - i, x, pixel);
  }
  pixels.draw(context, rect);
}

void draw_note(cairo_t* context, const View& view, const Note& note, const Fonts& fonts) {
  const Point place = view.at(note.x, note.y);
  if (std::isnan(place.x) || std::isnan(place.y)) return;
  set_color(context, palette(note.style.color), note.style.opacity);
  Text(note.text, fonts.tick).draw(context, place, Across::center, Down::middle);
}

}  // namespace tinta::figures
