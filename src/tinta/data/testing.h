#pragma once

#include <stdlib.h>

#include "tinta/core/test_folder.h"

// For the tests of this folder only.
namespace tinta::data::testing {

/// A folder that TINTA_CACHE names while this lives.
class CacheFolder : public TestFolder {
 public:
  CacheFolder() { ::setenv("TINTA_CACHE", path().c_str(), 1); }
  ~CacheFolder() { ::unsetenv("TINTA_CACHE"); }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
};

}  // namespace tinta::data::testing
