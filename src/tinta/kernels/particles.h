#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace tinta::kernels {

/// One closed-form term of an energy landscape, by its few numbers; see physics/potential.h.
struct PotentialTerm {
  enum class Kind {
    quadratic,      ///< strength / 2 sum_d mask_d (x_d - center_d)^2
    gaussian_well,  ///< -strength exp(-|x - center|^2 / (2 width^2))
    double_well,    ///< strength ((x_axis / width)^2 - 1)^2
  };
  Kind kind = Kind::quadratic;
  double strength = 1;
  double width = 1;
  int axis = 0;
  std::vector<double> center{};  ///< D numbers; empty: the origin
  /// Those that a quadratic term acts on; at most D, and it acts on those beyond the last.
  std::vector<bool> coordinates{};
};

/// A box of walls, one pair for each coordinate.
struct Walls {
  enum class Kind { none, reflecting, periodic };
  Kind kind = Kind::none;
  std::vector<double> low{};   ///< D numbers, unless kind is none; reflecting: -infinity for none
  std::vector<double> high{};  ///< D numbers, each above low's; reflecting: infinity for none
};

/// What moves particles that do not feel each other, for as many steps as `temperature` has
/// numbers. The random force of step n (counted from 0 in a particle's life) on coordinate j of
/// particle i is number n D + j of the particle's sequence, so that results depend neither on how
/// many particles there are, nor on threads, nor on how steps are split over calls.
struct ParticleSteps {
  std::vector<PotentialTerm> terms{};
  Walls walls{};
  double mass = 1;                    ///< m > 0
  double friction = 1;                ///< gamma > 0
  double time_step = 0.01;            ///< > 0
  double noise_factor = 1;            ///< on the random force; 1 is fluctuation-dissipation
  std::vector<double> temperature{};  ///< k_B T >= 0 of each step
  std::uint64_t seed = 0;
  std::uint64_t first_step = 0;
};

enum class OverdampedScheme {
  euler_maruyama,      ///< x += a F + s R_n, with a = dt / (m gamma), s^2 = 2 kT a
  leimkuhler_matthews  ///< x += a F + s (R_n + R_{n+1}) / 2
};

/// Takes x [N,D] (float32, contiguous, on the CPU) through overdamped steps in one pass over
/// memory: a register of particles runs through all steps before the next. Where the temperature
/// is 0 no random numbers are drawn. The same bits for any number of threads and instruction set.
/// Leimkuhler-Matthews at reflecting walls: where a particle bounced, its noise is mirrored with
/// it, and the next step averages with the mirrored noise; otherwise densities would be wrong
/// within s of a wall.
/// @param turned [N,D] float32: -1 where the noise of the step before was mirrored, else 1; kept up
/// to
///               date, for a next call. Undefined: 1 everywhere, and made where it is needed
/// @throws ArgumentError
void overdamped_steps(at::Tensor& x, at::Tensor& turned, const ParticleSteps& steps,
                      OverdampedScheme scheme);
/// The same with nothing mirrored before, and nothing to come after.
void overdamped_steps(at::Tensor& x, const ParticleSteps& steps, OverdampedScheme scheme);
/// The same by ATen's plain operations in double, from random numbers of its own making: what the
/// fused one is tested against. @param x [N,D] floating
void overdamped_steps_reference(at::Tensor& x, const ParticleSteps& steps, OverdampedScheme scheme);

/// Takes x and v [N,D] through steps of BAOAB (Leimkuhler and Matthews 2013): half a kick by the
/// force, half a drift, friction and noise exactly, half a drift, half a kick. As above.
void langevin_steps(at::Tensor& x, at::Tensor& v, const ParticleSteps& steps);
void langevin_steps_reference(at::Tensor& x, at::Tensor& v, const ParticleSteps& steps);

/// The standard normals of step `step`, for integrators that are not fused. @return [N,D] float32
at::Tensor particle_noise(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                          std::uint64_t step);
/// The same in double with the C library's functions. The fused ones are within 1e-5 of it, and
/// 3e-6 within three standard deviations. @return [N,D] double
at::Tensor particle_noise_reference(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                                    std::uint64_t step);

/// For benchmarks: makes the random numbers of `steps` steps, as the fused integrators do, and
/// drops them. @return a number that depends on some of them
double make_particle_noise_only(std::int64_t count, std::int64_t dimensions, std::uint64_t seed,
                                std::int64_t steps);

/// U(x) of a sum of terms. @param x [N,D] floating @return [N] like x. @throws ArgumentError
at::Tensor potential_energy(const at::Tensor& x, const std::vector<PotentialTerm>& terms);
/// -grad U. @return like x. @throws ArgumentError
at::Tensor potential_force(const at::Tensor& x, const std::vector<PotentialTerm>& terms);

/// Brings particles back that a step took beyond the walls, after as many bounces as it takes;
/// those inside are left as they are. A reflected particle's velocity turns at each bounce.
/// @param x [N,D] floating, changed in place
/// @param v like x, or undefined
void confine(at::Tensor& x, at::Tensor& v, const Walls& walls);

/// @throws ArgumentError naming `where`, when a term or the walls do not fit D dimensions
void require_fits(const std::vector<PotentialTerm>& terms, const Walls& walls,
                  std::int64_t dimensions, const char* where);

}  // namespace tinta::kernels
