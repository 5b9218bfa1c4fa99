#pragma once

#include <cstdint>

namespace tinta::kernels {

/// A sum of terms as the inner loops want it, times the factor with which the force enters a step
/// (dt / (m gamma) overdamped, dt / (2 m) for BAOAB): coordinate d of the force is
///   stiffness_d (center_d - x_d) + x_d (linear_d - cubic_d x_d^2)
///   + sum_k strength_k (well_kd - x_d) exp(rate_k |x - well_k|^2).
struct ParticleForce {
  const float* stiffness = nullptr;  ///< [D]
  const float* center = nullptr;     ///< [D]
  const float* linear = nullptr;     ///< [D], or null where there is no double well
  const float* cubic = nullptr;      ///< [D]
  std::int64_t wells = 0;
  const float* well = nullptr;      ///< [wells,D]
  const float* strength = nullptr;  ///< [wells]
  const float* rate = nullptr;      ///< [wells], negative
};

enum class ParticleWalls { none, reflecting, periodic };

/// Particles begin .. begin + count - 1 of a run and the steps to take.
struct ParticleTask {
  std::int64_t dimensions = 0;
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t steps = 0;
  std::uint64_t seed = 0;
  std::uint64_t first_step = 0;
  float* x = nullptr;  ///< [count,D]
  /// [count,D] BAOAB: velocities; Leimkuhler-Matthews at reflecting walls: the sign of the noise of
  /// the step before; else null.
  float* v = nullptr;
  ParticleForce force{};
  ParticleWalls walls = ParticleWalls::none;
  const float* low = nullptr;        ///< [D]
  const float* high = nullptr;       ///< [D]
  const float* amplitude = nullptr;  ///< [steps], factor on the normals of each step
  float half_step = 0;               ///< BAOAB: dt / 2
  float decay = 0;                   ///< BAOAB: exp(-gamma dt)
  bool average = false;              ///< overdamped: Leimkuhler-Matthews
  float* scratch = nullptr;          ///< particle_scratch() floats, on a boundary of 64 bytes
};

/// Normals that are made before steps use them, where a step needs fewer.
constexpr std::int64_t kNoiseAhead = 128;

/// Floats of working memory for a task, with two of the widest registers: x, v, force, noise.
constexpr std::int64_t particle_scratch(std::int64_t dimensions) {
  return 2 * 16 * (3 * dimensions + 2 * dimensions + kNoiseAhead + 8);
}

/// The inner loops of particles.h, one table per instruction set.
struct ParticleKernels {
  void (*overdamped)(const ParticleTask& task);
  void (*langevin)(const ParticleTask& task);
  /// Normals first .. first + count - 1 of each particle's sequence. @param out [particles,count]
  void (*noise)(float* out, std::int64_t begin, std::int64_t particles, std::uint64_t seed,
                std::uint64_t first, std::int64_t count);
  /// For benchmarks: makes the random numbers that `task` needs; each group's first particle's x is
  /// all that becomes of them.
  void (*noise_only)(const ParticleTask& task);
};

/// The table of active_isa().
const ParticleKernels& particles_kernels() noexcept;

}  // namespace tinta::kernels
