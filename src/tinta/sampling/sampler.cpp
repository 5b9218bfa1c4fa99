#include "tinta/sampling/sampler.h"

#include <array>
#include <cstddef>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/kernels/random.h"

namespace tinta::sampling {
namespace {

struct Registration {
  const char* name;
  SampleFunction run;
};

constexpr auto kSamplers = std::to_array<Registration>({
    {"ddpm", ddpm},
    {"ddim", ddim},
    {"heun", heun},
});

}  // namespace

NoiseSource philox_noise(at::IntArrayRef sizes, std::uint64_t seed, std::uint64_t first_sample,
                         Stream stream, const at::Device& device) {
  if (sizes.empty()) throw ArgumentError("[philox_noise] expected sizes [B,...], got none");
  return [owned = sizes.vec(), seed, first_sample, stream, device](std::uint32_t step) {
    return kernels::normal(
        owned, RandomKey{.seed = seed, .stream = stream, .sample = first_sample, .step = step},
        device);
  };
}

std::vector<int> time_steps(int t_start, int count) {
  if (count < 1 || count > t_start) {
    throw ArgumentError("[time_steps] expected 1 <= count <= t_start, got count " +
                        std::to_string(count) + ", t_start " + std::to_string(t_start));
  }
  std::vector<int> ts(static_cast<std::size_t>(count) + 1);
  for (int i = 0; i <= count; ++i) {
    // Rounded in integers, half up: t_start (count - i) / count + 1/2.
    const std::int64_t twice = 2 * std::int64_t{t_start} * (count - i) + count;
    ts[static_cast<std::size_t>(i)] = static_cast<int>(twice / (2 * std::int64_t{count}));
  }
  return ts;
}

SampleFunction sampler(const std::string& name) {
  for (const Registration& known : kSamplers) {
    if (name == known.name) return known.run;
  }
  throw ArgumentError("[sampler] expected a known sampler, got \"" + name + "\"" +
                      suggestion(name, sampler_names()));
}

std::vector<std::string> sampler_names() {
  std::vector<std::string> names;
  names.reserve(kSamplers.size());
  for (const Registration& known : kSamplers) names.emplace_back(known.name);
  return names;
}

}  // namespace tinta::sampling
