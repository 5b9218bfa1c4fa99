#pragma once

#include "tinta/data/dataset.h"
#include "tinta/dist/group.h"
#include "tinta/experiment/machine.h"

namespace tinta::experiment {

/// Refuses ranks that would each work on something else: all must have opened the same pictures
/// (how many, their sizes, all labels, and 64 of them byte by byte) and compute in the same
/// precision. With one process nothing is looked at.
/// @throws SystemError on every rank, naming the first one that differs
void require_alike(dist::Group& group, const data::Dataset& dataset, const Compute& compute);

}  // namespace tinta::experiment
