#include "tinta/figures/document.h"

#include <ATen/ATen.h>
#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cstring>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

// A4, in points.
constexpr double kWidth = 595.28;
constexpr double kHeight = 841.89;
constexpr double kMargin = 56;
constexpr double kText = kWidth - 2 * kMargin;
constexpr double kFoot = kHeight - kMargin;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Surface = std::unique_ptr<cairo_surface_t, Freed<cairo_surface_destroy>>;
using Context = std::unique_ptr<cairo_t, Freed<cairo_destroy>>;
using Layout = std::unique_ptr<PangoLayout, Freed<g_object_unref>>;
using Font = std::unique_ptr<PangoFontDescription, Freed<pango_font_description_free>>;

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
  auto* bytes = static_cast<std::vector<std::byte>*>(closure);
  const auto* first = reinterpret_cast<const std::byte*>(data);
  bytes->insert(bytes->end(), first, first + length);
  return CAIRO_STATUS_SUCCESS;
}

// Cairo's pixels: 32 bits, blue first, rows padded.
Surface as_surface(const at::Tensor& image) {
  const at::Tensor rgb = (image.size(0) == 1 ? image.expand({3, -1, -1}) : image).contiguous();
  const std::int64_t height = rgb.size(1), width = rgb.size(2), plane = height * width;
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width),
                                             static_cast<int>(height)));
  unsigned char* rows = cairo_image_surface_get_data(surface.get());
  if (rows == nullptr) throw SystemError("[document] cannot make room for a picture");
  const std::int64_t stride = cairo_image_surface_get_stride(surface.get());
  const auto* from = rgb.const_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      unsigned char* pixel = rows + y * stride + 4 * x;
      for (std::int64_t c = 0; c < 3; ++c) pixel[2 - c] = from[c * plane + y * width + x];
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

}  // namespace

struct Document::Page {
  std::vector<std::byte> bytes{};
  Surface surface{cairo_pdf_surface_create_for_stream(append, &bytes, kWidth, kHeight)};
  Context cairo{cairo_create(surface.get())};
  double y = kMargin;
  int number = 1;

  [[nodiscard]] Layout layout(const std::string& text, double size, double width,
                              PangoWeight weight = PANGO_WEIGHT_NORMAL) const {
    Layout layout(pango_cairo_create_layout(cairo.get()));
    const Font font(pango_font_description_from_string("DejaVu Sans"));
    pango_font_description_set_absolute_size(font.get(), size * PANGO_SCALE);
    pango_font_description_set_weight(font.get(), weight);
    pango_layout_set_font_description(layout.get(), font.get());
    pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
    return layout;
  }

  static double height_of(const Layout& layout) {
    int height = 0;
    pango_layout_get_size(layout.get(), nullptr, &height);
    return static_cast<double>(height) / PANGO_SCALE;
  }

  void put(const Layout& layout, double x, double at_y) const {
    cairo_set_source_rgb(cairo.get(), 0, 0, 0);
    cairo_move_to(cairo.get(), x, at_y);
    pango_cairo_show_layout(cairo.get(), layout.get());
  }

  // Starts a new page unless `height` points are left on this one.
  void require(double height) {
    if (y + height <= kFoot || y <= kMargin) return;
    close();
    y = kMargin;
    ++number;
  }

  void close() {
    const Layout foot = layout(std::to_string(number), 8, 60);
    put(foot, kWidth / 2, kFoot + 14);
    cairo_show_page(cairo.get());
  }

  // A text that may go on over pages, line by line.
  void flow(const Layout& text) {
    const int lines = pango_layout_get_line_count(text.get());
    for (int i = 0; i < lines; ++i) {
      PangoLayoutLine* line = pango_layout_get_line_readonly(text.get(), i);
      PangoRectangle box{};
      pango_layout_line_get_extents(line, nullptr, &box);
      const double height = static_cast<double>(box.height) / PANGO_SCALE;
      require(height);
      cairo_set_source_rgb(cairo.get(), 0, 0, 0);
      cairo_move_to(cairo.get(), kMargin, y - static_cast<double>(box.y) / PANGO_SCALE);
      pango_cairo_show_layout_line(cairo.get(), line);
      y += height;
    }
  }
};

Document::Document(const std::string& title) : page_(std::make_unique<Page>()) {
  cairo_pdf_surface_set_metadata(page_->surface.get(), CAIRO_PDF_METADATA_TITLE, title.c_str());
  // Equal documents are equal bytes.
  cairo_pdf_surface_set_metadata(page_->surface.get(), CAIRO_PDF_METADATA_CREATE_DATE,
                                 "2000-01-01T00:00:00Z");
  const Layout head = page_->layout(title, 20, kText, PANGO_WEIGHT_BOLD);
  page_->flow(head);
  page_->y += 10;
}

Document::~Document() = default;

void Document::heading(const std::string& text, int level) {
  constexpr double kWithNext = 90;
  const Layout layout = page_->layout(text, level == 1 ? 14 : 11, kText, PANGO_WEIGHT_BOLD);
  page_->y += 10;
  page_->require(Page::height_of(layout) + kWithNext);
  page_->flow(layout);
  page_->y += 4;
}

void Document::paragraph(const std::string& text) {
  const Layout layout = page_->layout(text, 9.5, kText);
  pango_layout_set_line_spacing(layout.get(), 1.2F);
  page_->flow(layout);
  page_->y += 6;
}

void Document::table(const std::vector<double>& shares,
                     const std::vector<std::vector<std::string>>& rows) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].size() != shares.size()) {
      throw ArgumentError("[document] expected " + std::to_string(shares.size()) +
                          " cells in a row, got " + std::to_string(rows[r].size()));
    }
    std::vector<Layout> cells;
    double height = 0;
    for (std::size_t c = 0; c < shares.size(); ++c) {
      constexpr double kGap = 6;
      cells.push_back(page_->layout(rows[r][c], 8, kText * shares[c] - kGap,
                                    r == 0 ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL));
      height = std::max(height, Page::height_of(cells.back()));
    }
    page_->require(height + 4);
    double x = kMargin;
    for (std::size_t c = 0; c < shares.size(); ++c) {
      page_->put(cells[c], x, page_->y);
      x += kText * shares[c];
    }
    page_->y += height + 2;
    cairo_set_source_rgb(page_->cairo.get(), 0.75, 0.75, 0.75);
    cairo_set_line_width(page_->cairo.get(), r == 0 ? 0.8 : 0.3);
    cairo_move_to(page_->cairo.get(), kMargin, page_->y);
    cairo_line_to(page_->cairo.get(), kMargin + kText, page_->y);
    cairo_stroke(page_->cairo.get());
    page_->y += 2;
  }
  page_->y += 6;
}

void Document::picture(const at::Tensor& image, double points) {
  const Surface surface = as_surface(image);
  const auto pixels_wide = static_cast<double>(image.size(2));
  const auto pixels_high = static_cast<double>(image.size(1));
  const double most_high = kFoot - kMargin - 60;
  const double scale =
      std::min({points / pixels_wide, kText / pixels_wide, most_high / pixels_high});
  page_->require(pixels_high * scale);
  cairo_t* cairo = page_->cairo.get();
  cairo_save(cairo);
  cairo_translate(cairo, kMargin + (kText - pixels_wide * scale) / 2, page_->y);
  cairo_scale(cairo, scale, scale);
  cairo_set_source_surface(cairo, surface.get(), 0, 0);
  cairo_paint(cairo);
  cairo_restore(cairo);
  page_->y += pixels_high * scale + 8;
}

std::vector<std::byte> Document::finish() {
  page_->close();
  cairo_surface_finish(page_->surface.get());
  const cairo_status_t status = cairo_surface_status(page_->surface.get());
  if (status != CAIRO_STATUS_SUCCESS || cairo_status(page_->cairo.get()) != CAIRO_STATUS_SUCCESS) {
    throw SystemError(std::string("[document] cannot write a PDF: ") +
                      cairo_status_to_string(status));
  }
  return std::move(page_->bytes);
}

}  // namespace tinta::figures
