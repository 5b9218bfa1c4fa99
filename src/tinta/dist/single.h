#pragma once

#include <memory>

#include "tinta/dist/connect.h"

namespace tinta::dist {

/// The connection of one process to nobody.
std::unique_ptr<Connection> single_process();

}  // namespace tinta::dist
