#pragma once

#include <cairo.h>

#include <memory>
#include <string>

#include "tinta/figures/canvas.h"

struct _PangoLayout;

namespace tinta::figures {

/// Sizes of the texts of a panel, in points.
struct Fonts {
  double label = 9;
  double tick = 8;
  double title = 10;
};

enum class Across { left, center, right };
enum class Down { top, middle, baseline, bottom };  ///< middle: of the figures of the first line

/// Laid out words. They are drawn as outlines, so that they look the same in every format and need
/// no font where they are read.
class Text {
 public:
  Text() = default;  ///< no words
  /// @param markup UTF-8 with Pango's markup; DejaVu Sans
  /// @param size   points
  /// @param wrap   longest line in points; 0: as long as it is
  /// @throws ArgumentError on broken markup
  Text(const std::string& markup, double size, double wrap = 0);

  [[nodiscard]] bool empty() const { return layout_ == nullptr; }
  [[nodiscard]] double width() const { return size_.width; }
  [[nodiscard]] double height() const { return size_.height; }

  /// Draws in the context's colour, `at` being the named point of the text.
  void draw(cairo_t* context, Point at, Across across, Down down) const;
  /// Draws it rising, centred on `center`.
  void draw_rising(cairo_t* context, Point center) const;

 private:
  std::shared_ptr<_PangoLayout> layout_;
  Size size_{};
  double baseline_ = 0;  ///< of the first line, from the top
  double font_size_ = 0;
};

}  // namespace tinta::figures
