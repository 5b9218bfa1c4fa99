#include "tinta/figures/text.h"

#include <pango/pangocairo.h>

#include <new>

#include "tinta/core/error.h"

namespace tinta::figures {
namespace {

// Half the height of a digit of DejaVu Sans, in sizes.
constexpr double kHalfDigit = 0.365;

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};

// One unit is a point, and glyphs are never moved to whole pixels: every format has one layout.
std::unique_ptr<PangoContext, Unref> exact_context() {
  std::unique_ptr<PangoContext, Unref> context(
      pango_font_map_create_context(pango_cairo_font_map_get_default()));
  pango_cairo_context_set_resolution(context.get(), 72);
  pango_context_set_round_glyph_positions(context.get(), FALSE);
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options(context.get(), options);
  cairo_font_options_destroy(options);
  return context;
}

void set_markup(PangoLayout* layout, const std::string& markup) {
  PangoAttrList* attributes = nullptr;
  char* text = nullptr;
  GError* error = nullptr;
  if (pango_parse_markup(markup.data(), static_cast<int>(markup.size()), 0, &attributes, &text,
                         nullptr, &error) == FALSE) {
    const std::string what = error->message;
    g_error_free(error);
    throw ArgumentError("[figures] expected Pango markup, got \"" + markup + "\": " + what);
  }
  pango_layout_set_text(layout, text, -1);
  pango_layout_set_attributes(layout, attributes);
  pango_attr_list_unref(attributes);
  g_free(text);
}

}  // namespace

Text::Text(const std::string& markup, double size, double wrap) : font_size_(size) {
  if (markup.empty()) return;
  const auto context = exact_context();
  layout_ = std::shared_ptr<PangoLayout>(pango_layout_new(context.get()), Unref{});
  PangoFontDescription* font = pango_font_description_from_string("DejaVu Sans");
  pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
  pango_layout_set_font_description(layout_.get(), font);
  pango_font_description_free(font);
  if (wrap > 0) {
    pango_layout_set_width(layout_.get(), pango_units_from_double(wrap));
    pango_layout_set_wrap(layout_.get(), PANGO_WRAP_WORD);
  }
  pango_layout_set_alignment(layout_.get(), PANGO_ALIGN_CENTER);
  set_markup(layout_.get(), markup);
  int width = 0, height = 0;
  pango_layout_get_size(layout_.get(), &width, &height);
  if (wrap > 0) {
    // From here on a box as wide as the words, about which they are centred.
    pango_layout_set_width(layout_.get(), width);
  }
  size_ = {pango_units_to_double(width), pango_units_to_double(height)};
  baseline_ = pango_units_to_double(pango_layout_get_baseline(layout_.get()));
}

void Text::draw(cairo_t* context, Point at, Across across, Down down) const {
  if (empty()) return;
  const double left = across == Across::left ? 0 : across == Across::center ? 0.5 : 1;
  double top = 0;
  if (down == Down::middle) top = baseline_ - kHalfDigit * font_size_;
  if (down == Down::baseline) top = baseline_;
  if (down == Down::bottom) top = size_.height;
  cairo_new_path(context);
  cairo_move_to(context, at.x - left * size_.width, at.y - top);
  pango_cairo_layout_path(context, layout_.get());
  cairo_fill(context);
}

void Text::draw_rising(cairo_t* context, Point center) const {
  cairo_save(context);
  cairo_translate(context, center.x, center.y);
  cairo_rotate(context, -1.5707963267948966);
  draw(context, {0, -size_.height / 2}, Across::center, Down::top);
  cairo_restore(context);
}

}  // namespace tinta::figures
