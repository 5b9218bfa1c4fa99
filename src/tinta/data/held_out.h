#pragma once

#include "tinta/data/dataset.h"

namespace tinta::data {

/// Which part of a set: what is held out of training, or the rest.
enum class Part { kept, held_out };

/// A part of a set. A picture is held out where the hash of what it is, as a number in [0, 1), lies
/// below the share: the same picture always falls on the same side, whatever lies beside it, and
/// copies of one picture on one side. The hashes are those of the set or, where it has none, the
/// first 64 bits of the SHA-256 of its pixels.
/// @param share in [0, 1)
/// @throws ArgumentError where the part would be empty
Dataset part_of(const Dataset& dataset, double share, Part part);

}  // namespace tinta::data
