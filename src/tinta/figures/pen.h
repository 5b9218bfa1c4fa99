#pragma once

#include <cairo.h>

#include "tinta/figures/canvas.h"
#include "tinta/figures/figure.h"
#include "tinta/figures/palette.h"

namespace tinta::figures {

/// Restores the context's state when it goes out of scope.
class Saved {
 public:
  explicit Saved(cairo_t* context) : context_(context) { cairo_save(context_); }
  ~Saved() { cairo_restore(context_); }
  Saved(const Saved&) = delete;
  Saved& operator=(const Saved&) = delete;

 private:
  cairo_t* context_;
};

void set_color(cairo_t* context, const Rgb& color, double opacity = 1);
/// Colour, width and dashes of a style.
void set_pen(cairo_t* context, const Style& style);
void add_rectangle(cairo_t* context, const Rect& rect);
/// Fills a marker; a cross is stroked.
void draw_marker(cairo_t* context, Point center, double size, Marker marker);
/// A line with a head at its tip; a short arrow has a small head.
void draw_arrow(cairo_t* context, Point tail, Point tip);

}  // namespace tinta::figures
