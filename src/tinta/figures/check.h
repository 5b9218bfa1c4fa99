#pragma once

#include <string>

#include "tinta/figures/figure.h"

namespace tinta::figures {

/// Names a panel in messages: panel 2 ("title").
std::string panel_name(std::size_t index, const Panel& panel);

/// Refuses what cannot be drawn.
/// @throws ArgumentError naming the first panel and layer at fault: lengths that disagree, edges
///         that do not rise, a grid that is not [H,W] floating, a picture that is not [C,H,W]
///         uint8, ends of an axis or of the colours that do not rise, a colour that is none
void check(const Figure& figure);

}  // namespace tinta::figures
