#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tinta::figures {

/// Names a drawing's parts anew in their order. cairo counts them through the whole life of the
/// program, so that the second drawing of a figure would differ from the first.
std::vector<std::byte> with_stable_names(const std::vector<std::byte>& svg);

}  // namespace tinta::figures
