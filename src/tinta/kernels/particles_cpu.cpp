#include "tinta/kernels/particles_cpu.h"

#include <utility>

#include "tinta/kernels/particle_noise.h"

namespace tinta::kernels::TINTA_ISA {
namespace {

// D of a task: a compile-time number for the plane and the like, where a group's state then stays
// in registers; 0 for any other.
template <int kD>
TINTA_INLINE std::int64_t dimensions_of(const ParticleTask& task) {
  return kD > 0 ? kD : task.dimensions;
}

// A group of particles: kWide vectors for each coordinate, one coordinate after another.
template <int kD>
struct Group {
  NativeFloats x[kD * kWide];
  NativeFloats v[kD * kWide];
  NativeFloats force[kD * kWide];
  TINTA_INLINE explicit Group(const ParticleTask&) {}
};
template <>
struct Group<0> {
  NativeFloats* x;
  NativeFloats* v;
  NativeFloats* force;
  TINTA_INLINE explicit Group(const ParticleTask& task)
      : x(reinterpret_cast<NativeFloats*>(task.scratch)),
        v(x + task.dimensions * kWide),
        force(v + task.dimensions * kWide) {}
};

// For lambdas, so that a group's arrays are never taken by address and can live in registers.
#define TINTA_INLINED __attribute__((always_inline))

// Calls body(d, i) for every coordinate d and each of its vectors i. Written out where D is known.
template <int kD, class Body>
TINTA_INLINE void for_each_vector(const ParticleTask& task, const Body& body) {
  if constexpr (kD > 0) {
    const auto all = [&]<std::int64_t... kI>(std::integer_sequence<std::int64_t, kI...>)
                         TINTA_INLINED { (body(kI / kWide, kI), ...); };
    all(std::make_integer_sequence<std::int64_t, kD * kWide>{});
  } else {
    for (std::int64_t i = 0; i < task.dimensions * kWide; ++i) body(i / kWide, i);
  }
}

// [particles,D] in memory to vectors and back; lanes beyond `count` are 0.
template <int kD>
TINTA_INLINE void gather(const ParticleTask& task, NativeFloats* to, const float* from,
                         std::int64_t count) {
  const std::int64_t dimensions = dimensions_of<kD>(task);
  for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
    float lanes[kNative] = {};
    const std::int64_t first = i % kWide * kNative;
    for (std::int64_t l = 0; l < kNative && first + l < count; ++l) {
      lanes[l] = from[(first + l) * dimensions + d];
    }
    to[i] = load_native(lanes);
  });
}
template <int kD>
TINTA_INLINE void scatter(const ParticleTask& task, float* to, const NativeFloats* from,
                          std::int64_t count) {
  const std::int64_t dimensions = dimensions_of<kD>(task);
  for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
    float lanes[kNative];
    store_native(lanes, from[i]);
    const std::int64_t first = i % kWide * kNative;
    for (std::int64_t l = 0; l < kNative && first + l < count; ++l) {
      to[(first + l) * dimensions + d] = lanes[l];
    }
  });
}

template <int kD>
TINTA_INLINE void add_wells(const ParticleTask& task, Group<kD>& group) {
  const ParticleForce& f = task.force;
  for (std::int64_t k = 0; k < f.wells; ++k) {
    const float* well = f.well + k * dimensions_of<kD>(task);
    NativeFloats weight[kWide] = {};
    for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
      const NativeFloats away = well[d] - group.x[i];
      weight[i % kWide] += away * away;
    });
    for (NativeFloats& w : weight) w = f.strength[k] * exp_clamped(f.rate[k] * w);
    for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
      group.force[i] += weight[i % kWide] * (well[d] - group.x[i]);
    });
  }
}

// What a group feels: nothing but quadratic wells, or any terms and walls. The former is worth a
// loop without branches.
enum class Terrain { bowl, any };

template <int kD, Terrain kTerrain>
TINTA_INLINE void find_force(const ParticleTask& task, Group<kD>& group) {
  const ParticleForce& f = task.force;
  for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
    group.force[i] = f.stiffness[d] * (f.center[d] - group.x[i]);
  });
  if constexpr (kTerrain == Terrain::bowl) return;
  if (f.linear != nullptr) {
    for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
      const NativeFloats x = group.x[i];
      group.force[i] += x * (f.linear[d] - f.cubic[d] * (x * x));
    });
  }
  if (f.wells > 0) add_wells<kD>(task, group);
}

// The fractional part, in [0, 1), of |t| < 2^22.
TINTA_INLINE NativeFloats fraction(const NativeFloats& t) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
  const NativeFloats part = t - ((t + kMagic) - kMagic);
  return part < 0.0f ? part + 1.0f : part;
}

// One coordinate's walls for particles beyond them. Apart, because few particles are.
TINTA_INLINE NativeFloats reflect(NativeFloats x, float low, float high, NativeFloats* v) {
  const NativeInts below = x < low;
  NativeFloats turned = below ? 2.0f * low - x : x;
  const NativeInts above = turned > high;
  turned = above ? 2.0f * high - turned : turned;
  NativeInts odd = below ^ above;
  const NativeInts again = (turned < low) | (turned > high);
  if (any_lane(again)) {
    const float span = high - low;
    NativeFloats t = (x - low) * (0.5f / span);
    t = t > 0x1p21f ? NativeFloats{} + 0x1p21f : t;
    t = t < -0x1p21f ? NativeFloats{} - 0x1p21f : t;
    const NativeFloats part = fraction(t);
    const NativeFloats folded = part > 0.5f ? 1.0f - part : part;
    turned = again ? low + (2.0f * span) * folded : turned;
    odd = again ? part > 0.5f : odd;
  }
  turned = turned < low ? NativeFloats{} + low : turned;
  turned = turned > high ? NativeFloats{} + high : turned;
  if (v != nullptr) *v = odd ? -*v : *v;
  return turned;
}

TINTA_INLINE NativeFloats wrap(NativeFloats x, float low, float high) {
  const float span = high - low;
  NativeFloats t = (x - low) * (1.0f / span);
  t = t > 0x1p21f ? NativeFloats{} + 0x1p21f : t;
  t = t < -0x1p21f ? NativeFloats{} - 0x1p21f : t;
  const NativeFloats wrapped = low + span * fraction(t);
  const NativeFloats inside = wrapped >= high ? NativeFloats{} + low : wrapped;
  return ((x < low) | (x >= high)) ? inside : x;
}

template <int kD>
TINTA_INLINE void keep_inside(const ParticleTask& task, Group<kD>& group) {
  if (task.walls == ParticleWalls::none) return;
  for_each_vector<kD>(task, [&](std::int64_t d, std::int64_t i) TINTA_INLINED {
    const float low = task.low[d];
    const float high = task.high[d];
    if (any_lane((group.x[i] < low) | (group.x[i] >= high)) == 0) return;
    if (task.walls == ParticleWalls::periodic) {
      group.x[i] = wrap(group.x[i], low, high);
    } else {
      group.x[i] = reflect(group.x[i], low, high, task.v == nullptr ? nullptr : &group.v[i]);
    }
  });
}

// The noise of a few steps, made ahead: blocks of four normals do not end where steps do.
template <int kD>
class NoiseAhead {
 public:
  TINTA_INLINE NoiseAhead(const ParticleTask& task, std::int64_t particle)
      : task_(task), buffer_(task.scratch + 3 * dimensions_of<kD>(task) * kGroup) {
    source_.start(task.seed, static_cast<std::uint32_t>(task.begin + particle));
  }

  /// How many steps to take from `step`, and whether they feel any noise, which is then at hand.
  TINTA_INLINE std::int64_t prepare(std::int64_t step) {
    const std::int64_t dimensions = dimensions_of<kD>(task_);
    const std::int64_t ahead = dimensions < kNoiseAhead ? kNoiseAhead / dimensions : 1;
    const std::int64_t left = task_.steps - step;
    const std::int64_t count = ahead < left ? ahead : left;
    felt = false;
    for (std::int64_t i = 0; i < count; ++i) felt |= task_.amplitude[step + i] != 0.0f;
    if (!felt) return count;
    // Leimkuhler-Matthews averages with the noise of the step after.
    const std::int64_t normals = (count + (task_.average ? 1 : 0)) * dimensions;
    const std::uint64_t first = (task_.first_step + static_cast<std::uint64_t>(step)) *
                                static_cast<std::uint64_t>(dimensions);
    const auto skipped = static_cast<std::int64_t>(first % 4);
    const std::int64_t blocks = (skipped + normals + 3) / 4;
    source_.fill(first / 4, blocks, buffer_);
    make_normal(buffer_, 2 * blocks);
    next = buffer_ + skipped * kGroup;
    return count;
  }

  bool felt = false;
  const float* next = nullptr;  ///< of the first prepared step: D times kWide vectors

 private:
  const ParticleTask& task_;
  ParticleNoise source_;
  float* buffer_;
};

template <int kD, Terrain kTerrain>
void overdamped_group(const ParticleTask& task, std::int64_t particle, std::int64_t count) {
  const std::int64_t dimensions = dimensions_of<kD>(task);
  Group<kD> group(task);
  gather<kD>(task, group.x, task.x + particle * dimensions, count);
  const bool mirrors = kTerrain == Terrain::any && task.v != nullptr;
  if (mirrors) gather<kD>(task, group.v, task.v + particle * dimensions, count);
  NoiseAhead<kD> ahead(task, particle);
  for (std::int64_t step = 0; step < task.steps;) {
    const std::int64_t prepared = ahead.prepare(step);
    const float* noise = ahead.next;
    for (const std::int64_t end = step + prepared; step < end; ++step) {
      find_force<kD, kTerrain>(task, group);
      for_each_vector<kD>(
          task, [&](std::int64_t, std::int64_t i) TINTA_INLINED { group.x[i] += group.force[i]; });
      if (ahead.felt) {
        const float amplitude = task.amplitude[step];
        const float* next = noise + dimensions * kGroup;
        if (!task.average) {
          for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i) TINTA_INLINED {
            group.x[i] += amplitude * load_native(noise + i * kNative);
          });
        } else if (mirrors) {
          for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i) TINTA_INLINED {
            group.x[i] += amplitude * (group.v[i] * load_native(noise + i * kNative) +
                                       load_native(next + i * kNative));
          });
        } else {
          for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i) TINTA_INLINED {
            group.x[i] +=
                amplitude * (load_native(noise + i * kNative) + load_native(next + i * kNative));
          });
        }
        noise = next;
      }
      if (mirrors) {
        for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i)
                                      TINTA_INLINED { group.v[i] = NativeFloats{} + 1.0f; });
      }
      if constexpr (kTerrain == Terrain::any) keep_inside<kD>(task, group);
    }
  }
  scatter<kD>(task, task.x + particle * dimensions, group.x, count);
  if (mirrors) scatter<kD>(task, task.v + particle * dimensions, group.v, count);
}

template <int kD, Terrain kTerrain>
TINTA_INLINE void drift(const ParticleTask& task, Group<kD>& group) {
  for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i)
                                TINTA_INLINED { group.x[i] += task.half_step * group.v[i]; });
  if constexpr (kTerrain == Terrain::any) keep_inside<kD>(task, group);
}

template <int kD>
TINTA_INLINE void kick(const ParticleTask& task, Group<kD>& group) {
  for_each_vector<kD>(
      task, [&](std::int64_t, std::int64_t i) TINTA_INLINED { group.v[i] += group.force[i]; });
}

template <int kD, Terrain kTerrain>
void langevin_group(const ParticleTask& task, std::int64_t particle, std::int64_t count) {
  const std::int64_t dimensions = dimensions_of<kD>(task);
  Group<kD> group(task);
  gather<kD>(task, group.x, task.x + particle * dimensions, count);
  gather<kD>(task, group.v, task.v + particle * dimensions, count);
  NoiseAhead<kD> ahead(task, particle);
  find_force<kD, kTerrain>(task, group);
  for (std::int64_t step = 0; step < task.steps;) {
    const std::int64_t prepared = ahead.prepare(step);
    const float* noise = ahead.next;
    for (const std::int64_t end = step + prepared; step < end; ++step) {
      kick<kD>(task, group);
      drift<kD, kTerrain>(task, group);
      for_each_vector<kD>(
          task, [&](std::int64_t, std::int64_t i) TINTA_INLINED { group.v[i] *= task.decay; });
      if (ahead.felt) {
        const float amplitude = task.amplitude[step];
        for_each_vector<kD>(task, [&](std::int64_t, std::int64_t i) TINTA_INLINED {
          group.v[i] += amplitude * load_native(noise + i * kNative);
        });
        noise += dimensions * kGroup;
      }
      drift<kD, kTerrain>(task, group);
      find_force<kD, kTerrain>(task, group);
      kick<kD>(task, group);
    }
  }
  scatter<kD>(task, task.x + particle * dimensions, group.x, count);
  scatter<kD>(task, task.v + particle * dimensions, group.v, count);
}

template <class F>
TINTA_INLINE void for_each_group(const ParticleTask& task, F run) {
  for (std::int64_t i = 0; i < task.count; i += kGroup) {
    run(i, task.count - i < kGroup ? task.count - i : kGroup);
  }
}

bool is_bowl(const ParticleTask& task) {
  return task.force.linear == nullptr && task.force.wells == 0 && task.walls == ParticleWalls::none;
}

template <int kD>
void overdamped_all(const ParticleTask& task) {
  const auto group =
      is_bowl(task) ? overdamped_group<kD, Terrain::bowl> : overdamped_group<kD, Terrain::any>;
  for_each_group(task, [&](std::int64_t i, std::int64_t n) { group(task, i, n); });
}
template <int kD>
void langevin_all(const ParticleTask& task) {
  const auto group =
      is_bowl(task) ? langevin_group<kD, Terrain::bowl> : langevin_group<kD, Terrain::any>;
  for_each_group(task, [&](std::int64_t i, std::int64_t n) { group(task, i, n); });
}

void overdamped(const ParticleTask& task) {
  switch (task.dimensions) {
    case 1:
      return overdamped_all<1>(task);
    case 2:
      return overdamped_all<2>(task);
    case 3:
      return overdamped_all<3>(task);
    default:
      return overdamped_all<0>(task);
  }
}

void langevin(const ParticleTask& task) {
  switch (task.dimensions) {
    case 1:
      return langevin_all<1>(task);
    case 2:
      return langevin_all<2>(task);
    case 3:
      return langevin_all<3>(task);
    default:
      return langevin_all<0>(task);
  }
}

void noise(float* out, std::int64_t begin, std::int64_t particles, std::uint64_t seed,
           std::uint64_t first, std::int64_t count) {
  constexpr std::int64_t kBlocks = 32;
  float buffer[4 * kBlocks * kGroup];
  for (std::int64_t i = 0; i < particles; i += kGroup) {
    ParticleNoise source;
    source.start(seed, static_cast<std::uint32_t>(begin + i));
    const std::int64_t part = particles - i < kGroup ? particles - i : kGroup;
    for (std::int64_t k = 0; k < count;) {
      const std::uint64_t number = first + static_cast<std::uint64_t>(k);
      const auto skipped = static_cast<std::int64_t>(number % 4);
      const std::int64_t at_hand = 4 * kBlocks - skipped;
      const std::int64_t wanted = count - k < at_hand ? count - k : at_hand;
      const std::int64_t blocks = (skipped + wanted + 3) / 4;
      source.fill(number / 4, blocks, buffer);
      make_normal(buffer, 2 * blocks);
      for (std::int64_t j = 0; j < wanted; ++j, ++k) {
        for (std::int64_t lane = 0; lane < part; ++lane) {
          out[(i + lane) * count + k] = buffer[(skipped + j) * kGroup + lane];
        }
      }
    }
  }
}

void noise_only(const ParticleTask& task) {
  for_each_group(task, [&](std::int64_t i, std::int64_t) {
    NoiseAhead<0> ahead(task, i);
    float sum = 0;
    for (std::int64_t step = 0; step < task.steps;) {
      step += ahead.prepare(step);
      if (ahead.felt) sum += *ahead.next;
    }
    task.x[i * task.dimensions] = sum;
  });
}

}  // namespace

extern const ParticleKernels particles_table;
const ParticleKernels particles_table{overdamped, langevin, noise, noise_only};

}  // namespace tinta::kernels::TINTA_ISA
