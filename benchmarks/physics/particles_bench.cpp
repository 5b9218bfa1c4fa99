// Times the fused overdamped integrator on a million particles in a plane, and its random numbers
// alone. benchmarks/physics/numpy_langevin.py runs this beside NumPy.
//
//   tinta_particles_bench [particles] [steps] [euler|lm|free|wells|walls|baoab]

#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/particles.h"

namespace {

using tinta::kernels::OverdampedScheme;
using tinta::kernels::ParticleSteps;
using tinta::kernels::PotentialTerm;
using tinta::kernels::Walls;

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void run(std::int64_t particles, std::int64_t count, const std::string& job) {
  ParticleSteps steps{.terms = {{.strength = 1}},
                      .temperature = std::vector<double>(static_cast<std::size_t>(count), 1.0),
                      .seed = 1};
  if (job == "free") steps.terms = {};
  if (job == "wells") {
    steps.terms.push_back({.kind = PotentialTerm::Kind::gaussian_well,
                           .strength = 2,
                           .width = 0.5,
                           .center = {1, 0}});
    steps.terms.push_back({.kind = PotentialTerm::Kind::gaussian_well,
                           .strength = 2,
                           .width = 0.5,
                           .center = {-1, 0}});
  }
  if (job == "walls") {
    steps.walls = {.kind = Walls::Kind::reflecting, .low = {-2, -2}, .high = {2, 2}};
  }
  at::Tensor x = at::zeros({particles, 2});
  at::Tensor v = at::zeros({particles, 2});
  const auto scheme =
      job == "lm" ? OverdampedScheme::leimkuhler_matthews : OverdampedScheme::euler_maruyama;
  const double whole = seconds_of([&] {
    if (job == "baoab") {
      tinta::kernels::langevin_steps(x, v, steps);
    } else {
      tinta::kernels::overdamped_steps(x, steps, scheme);
    }
  });
  const double random =
      seconds_of([&] { tinta::kernels::make_particle_noise_only(particles, 2, 1, count); });
  std::printf(
      "{\"isa\": \"%s\", \"threads\": %d, \"particle_steps_per_second\": %.4g, "
      "\"random_share\": %.3f, \"mean_square\": %.5f}\n",
      tinta::kernels::to_string(tinta::kernels::active_isa()).c_str(), at::get_num_threads(),
      static_cast<double>(particles * count) / whole, random / whole,
      x.square().mean().item<double>());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? std::atoll(argv[1]) : 1'000'000, argc > 2 ? std::atoll(argv[2]) : 1000,
        argc > 3 ? argv[3] : "euler");
  } catch (const tinta::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
