#pragma once

#include <ATen/core/Tensor.h>
#include <cairo.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace tinta::figures {

/// Width and height in points.
struct Size {
  double width = 0, height = 0;
};

/// A place on the page, points from its upper left corner, y downwards.
struct Point {
  double x = 0, y = 0;
};

/// A part of the page; x and y are its upper left corner.
struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
};

/// A white page to draw on. Its context's unit is a point.
class Canvas {
 public:
  /// @param scale pixels per point @throws ArgumentError on a picture of no or over 32767 pixels
  ///              a side, cairo's limit
  static Canvas raster(Size size, double scale);
  static Canvas svg(Size size);
  static Canvas pdf(Size size);

  [[nodiscard]] cairo_t* context() const { return context_.get(); }

  /// What was drawn on a raster. @return [3,H,W] uint8 @throws SystemError when cairo failed
  [[nodiscard]] at::Tensor pixels() const;
  /// Ends a vector drawing. @return the file @throws SystemError when cairo failed
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  struct Destroy {
    void operator()(cairo_t* context) const { cairo_destroy(context); }
    void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  };
  struct Sink;

  Canvas(cairo_surface_t* surface, std::shared_ptr<Sink> sink);
  void check() const;

  // Destroyed from the last to the first: the surface still writes to its sink.
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<cairo_surface_t, Destroy> surface_;
  std::unique_ptr<cairo_t, Destroy> context_;
};

/// Whether what is drawn there keeps its shapes (SVG, PDF) and has no pixels.
[[nodiscard]] bool is_vector(cairo_t* context);

}  // namespace tinta::figures
