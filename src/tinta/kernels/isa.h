#pragma once

#include <string>

namespace tinta::kernels {

/// Instruction sets that the *_cpu.cpp files are compiled for, in one binary. The results of a
/// kernel are the same bits in each of them, where its header does not say otherwise.
enum class Isa {
  portable,
  avx2,
  avx512_without_bf16,  ///< avx512's files on a processor that lacks AVX-512 BF16: to force only
  avx512_without_amx,   ///< the same on one that lacks AMX: to force only
  avx512                ///< with AVX-512 BF16 where has_bf16(), with AMX where has_amx()
};

/// The best that this processor has, or what force_isa() asked for.
Isa active_isa() noexcept;

/// Runs the kernels of a lesser instruction set from now on: for tests and benchmarks.
/// @throws ArgumentError when the processor lacks it
void force_isa(Isa isa);

/// The best that this processor has; never one to force only, so that has_bf16() and has_amx() are
/// the processor's own answers wherever nothing is forced.
Isa best_isa() noexcept;

/// Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16, which AMX comes with), and
/// force_isa() did not ask for one that does not.
bool has_bf16() noexcept;

/// Whether this processor multiplies tiles of bfloat16 (AMX), the system lets this process do so,
/// and force_isa() did not ask for an instruction set without.
bool has_amx() noexcept;

std::string to_string(Isa isa);

/// Declares the tables NAME_table of each instruction set and defines NAME_kernels(), the active
/// one. To stand in namespace tinta::kernels of the .cpp that uses them.
#if defined(__x86_64__)
#define TINTA_KERNEL_TABLES(Type, name)                                        \
  namespace portable {                                                         \
  extern const Type name##_table;                                              \
  }                                                                            \
  namespace avx2 {                                                             \
  extern const Type name##_table;                                              \
  }                                                                            \
  namespace avx512 {                                                           \
  extern const Type name##_table;                                              \
  }                                                                            \
  const Type& name##_kernels() noexcept {                                      \
    if (active_isa() >= Isa::avx512_without_bf16) return avx512::name##_table; \
    if (active_isa() == Isa::avx2) return avx2::name##_table;                  \
    return portable::name##_table;                                             \
  }
#else
#define TINTA_KERNEL_TABLES(Type, name) \
  namespace portable {                  \
  extern const Type name##_table;       \
  }                                     \
  const Type& name##_kernels() noexcept { return portable::name##_table; }
#endif

}  // namespace tinta::kernels
