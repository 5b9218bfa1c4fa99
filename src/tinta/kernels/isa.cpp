#include "tinta/kernels/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>

#include "tinta/core/error.h"

namespace tinta::kernels {
namespace {

std::atomic<Isa>& active() {
  static std::atomic<Isa> isa{best_isa()};
  return isa;
}

#if defined(__x86_64__)
// Tiles are state that Linux saves for those processes only that asked for it.
bool ask_for_amx() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kTiles = 1u << 24, kBf16 = 1u << 22;  // leaf 7, EDX
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0 || (d & kBf16) == 0) {
    return false;
  }
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

}  // namespace

Isa best_isa() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::portable;
}

Isa active_isa() noexcept { return active().load(std::memory_order_relaxed); }

void force_isa(Isa isa) {
  if (isa > best_isa()) {
    throw ArgumentError("[force_isa] expected at most " + to_string(best_isa()) +
                        " on this processor, got " + to_string(isa));
  }
  active().store(isa, std::memory_order_relaxed);
}

bool has_bf16() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return active_isa() != Isa::avx512_without_bf16 && __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

bool has_amx() noexcept {
#if defined(__x86_64__)
  static const bool processor = ask_for_amx();
  return processor && active_isa() == Isa::avx512 && has_bf16();
#else
  return false;
#endif
}

std::string to_string(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512_without_bf16:
      return "avx512_without_bf16";
    case Isa::avx512_without_amx:
      return "avx512_without_amx";
    case Isa::avx512:
      return "avx512";
  }
  return "unknown";
}

}  // namespace tinta::kernels
