#pragma once

#include "tinta/figures/figure.h"

namespace tinta::figures {

/// A colour, sRGB in 0..1.
struct Rgb {
  double r = 0, g = 0, b = 0;
};

inline constexpr Rgb kBlack{0.1, 0.1, 0.1};  ///< of texts and axes

/// Places in the palette.
inline constexpr int kPaletteSize = 7;

/// The colour of a Style: 0 to 6, -1 black, -2 grey, -3 white. The hues of Okabe and Ito ("Color
/// universal design", 2008), which colour-blind readers tell apart, moved to lightnesses of 22 to
/// 80 that are at least 8 apart, so that a print in grey keeps them apart too.
/// @throws ArgumentError on another place
Rgb palette(int place);

/// The colour of a share of a colour map: viridis and magma as published under CC0 (Smith, van der
/// Walt, Firing 2015), grey from black to white, and a diverging one from blue by white to red, as
/// dark at one end as at the other.
/// @param share 0 to 1, clamped
Rgb color_of(ColorMap map, double share);

/// CIE lightness L*, 0 (black) to 100 (white).
double lightness(const Rgb& color);

}  // namespace tinta::figures
