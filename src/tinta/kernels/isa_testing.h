#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tinta/kernels/isa.h"

/// For tests of kernels: each instruction set that the processor has.
namespace tinta::kernels {

/// Runs with an instruction set for as long as it lives, then with the best one again.
class ForcedIsa {
 public:
  explicit ForcedIsa(Isa isa) { force_isa(isa); }
  ~ForcedIsa() { force_isa(best_isa()); }
  ForcedIsa(const ForcedIsa&) = delete;
  ForcedIsa& operator=(const ForcedIsa&) = delete;
};

/// A test that runs with the instruction set that its parameter is, or names as `isa`; skipped
/// where the processor lacks it.
template <class Param>
class OnIsa : public testing::TestWithParam<Param> {
 protected:
  void SetUp() override {
    const Isa isa = of(this->GetParam());
    if (isa > best_isa()) GTEST_SKIP() << "this processor lacks " << to_string(isa);
    force_isa(isa);
  }
  void TearDown() override { force_isa(best_isa()); }

 private:
  static Isa of(Isa isa) { return isa; }
  template <class Named>
  static Isa of(const Named& named) {
    return named.isa;
  }
};

/// Names a test after the instruction set that is its parameter.
inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return to_string(info.param);
}

}  // namespace tinta::kernels
