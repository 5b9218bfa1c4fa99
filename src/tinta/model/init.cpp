#include "tinta/model/init.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tinta/core/philox.h"
#include "tinta/kernels/random.h"
#include "tinta/model/layers.h"

namespace tinta::model {
namespace {

// Uniform on [-sqrt(3 / n), sqrt(3 / n)], variance 1 / n, with n the mean of fan in and fan out.
void fan_average(at::Tensor& weight, const RandomKey& key) {
  const std::int64_t area = weight.dim() == 4 ? weight.size(2) * weight.size(3) : 1;
  const double fan = 0.5 * static_cast<double>((weight.size(0) + weight.size(1)) * area);
  const double bound = std::sqrt(3 / fan);
  auto* const values = weight.mutable_data_ptr<float>();
  const std::int64_t count = weight.numel();
  constexpr std::int64_t kGrain = 1 << 14;
  at::parallel_for(0, (count + 1) / 2, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) {
      const std::array<double, 2> drawn = random_uniforms(key, static_cast<std::uint32_t>(pair));
      for (std::int64_t i = 0; i < std::min<std::int64_t>(2, count - 2 * pair); ++i) {
        values[2 * pair + i] =
            static_cast<float>(bound * (2 * drawn[static_cast<std::size_t>(i)] - 1));
      }
    }
  });
}

void fill(at::Tensor& weight, Init init, const RandomKey& key) {
  if (init == Init::fan_average) {
    fan_average(weight, key);
  } else if (init == Init::normal) {
    at::Tensor drawn = kernels::normal({1, weight.numel()}, key);
    weight.copy_(drawn.view(weight.sizes()));
  } else {
    weight.zero_();
  }
}

}  // namespace

void initialise(torch::nn::Module& module, std::uint64_t seed) {
  const at::AutoDispatchBelowAutograd no_autograd;
  std::uint64_t ordinal = 0;
  for (const auto& part : module.modules(/*include_self=*/false)) {
    const RandomKey key{.seed = seed, .stream = Stream::weights, .sample = ordinal++};
    if (auto* linear = dynamic_cast<Linear*>(part.get())) {
      fill(linear->weight, linear->init, key);
      if (linear->bias.defined()) linear->bias.zero_();
    } else if (auto* conv = dynamic_cast<Conv2d*>(part.get())) {
      fill(conv->weight, conv->options.init, key);
      conv->bias.zero_();
    } else if (auto* embedding = dynamic_cast<Embedding*>(part.get())) {
      fill(embedding->weight, Init::normal, key);
    } else if (auto* norm = dynamic_cast<GroupNorm*>(part.get())) {
      norm->weight.fill_(1);
      norm->bias.zero_();
    }
  }
}

}  // namespace tinta::model
