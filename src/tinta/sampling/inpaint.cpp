#include "tinta/sampling/inpaint.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tinta/core/error.h"

namespace tinta::sampling {
namespace {

void require_broadcastable(const char* what, const at::Tensor& given, const at::Tensor& x) {
  bool fits = given.defined() && given.dim() <= x.dim();
  for (std::int64_t i = 1; fits && i <= given.dim(); ++i) {
    fits = given.size(-i) == 1 || given.size(-i) == x.size(-i);
  }
  if (fits) return;
  throw ArgumentError(
      c10::str("[inpaint] expected ", what, " of sizes that broadcast to ", x.sizes(), ", got ",
               given.defined() ? c10::str(given.sizes()) : std::string("an undefined tensor")));
}

void require_fit(const Inpainting& inpainting, const std::vector<int>& ts, const at::Tensor& x) {
  if (ts.size() < 2 || ts.back() != 0) {
    throw ArgumentError(
        "[inpaint] expected time steps down to 0, got " +
        (ts.empty() ? std::string("none") : "the last " + std::to_string(ts.back())));
  }
  if (!x.defined() || x.dim() < 1 || !at::isFloatingType(x.scalar_type())) {
    throw ArgumentError("[inpaint] expected x of sizes [B,...] and a floating dtype");
  }
  require_broadcastable("known", inpainting.known, x);
  require_broadcastable("fill", inpainting.fill, x);
  if (inpainting.fill.scalar_type() != at::kBool) {
    throw ArgumentError(
        c10::str("[inpaint] expected fill of dtype Bool, got ", inpainting.fill.scalar_type()));
  }
}

// One chain: every draw has a place of its own in the noise.
class Walker {
 public:
  Walker(const Chain& chain, const config::SamplingConfig& sampling, const Inpainting& inpainting,
         const at::Tensor& x)
      : chain_(chain),
        sampling_(sampling),
        step_(sampler(sampling.sampler)),
        known_(inpainting.known.to(x.options()).expand(x.sizes())),
        fill_(inpainting.fill.to(x.device())) {}

  // The reverse step t -> s, and the known part drawn anew at s.
  at::Tensor down(const at::Tensor& x, int t, int s) {
    const Chain one_step{.schedule = chain_.schedule,
                         .denoiser = chain_.denoiser,
                         .noise = [&](std::uint32_t) { return draw(x); }};
    const at::Tensor unknown = step_(one_step, sampling_, {t, s}, x);
    const process::NoiseLevel level = chain_.schedule.level(s);
    const at::Tensor known = s > 0 ? known_ * level.a + draw(x) * level.s : known_;
    return at::where(fill_, unknown, known);
  }

  // q(x_t | x_s) of however many steps, in one draw.
  at::Tensor up(const at::Tensor& x, int s, int t) {
    const process::Transition q = chain_.schedule.transition(s, t);
    return x * q.scale + draw(x) * std::sqrt(q.variance);
  }

 private:
  at::Tensor draw(const at::Tensor& x) {
    const at::Tensor z = chain_.noise(draws_++);
    if (z.sizes() != x.sizes()) {
      throw ArgumentError(
          c10::str("[inpaint] expected noise of sizes ", x.sizes(), ", got ", z.sizes()));
    }
    return z.to(x.options());
  }

  const Chain& chain_;
  const config::SamplingConfig& sampling_;
  SampleFunction step_;
  at::Tensor known_, fill_;
  std::uint32_t draws_ = 0;
};

int reverse_steps(const std::vector<int>& walk) {
  int steps = 0;
  for (std::size_t i = 1; i < walk.size(); ++i) steps += walk[i] > walk[i - 1] ? 1 : 0;
  return steps;
}

}  // namespace

std::vector<int> repaint_walk(int count, int resamplings, int jump) {
  if (count < 1 || resamplings < 1 || jump < 1) {
    throw ArgumentError(
        "[repaint_walk] expected a count, resamplings and a jump of at least 1, got " +
        std::to_string(count) + ", " + std::to_string(resamplings) + " and " +
        std::to_string(jump));
  }
  std::map<int, int> jumps_left;
  for (int place = count - 1; place >= jump; place -= jump) jumps_left[place] = resamplings - 1;
  std::vector<int> walk{0};
  while (walk.back() < count) {
    walk.push_back(walk.back() + 1);
    const auto found = jumps_left.find(walk.back());
    if (found == jumps_left.end() || found->second == 0) continue;
    --found->second;
    walk.push_back(walk.back() - jump);
  }
  return walk;
}

at::Tensor inpaint(const Chain& chain, const config::SamplingConfig& sampling,
                   const Inpainting& inpainting, const std::vector<int>& ts, at::Tensor x) {
  require_fit(inpainting, ts, x);
  const std::vector<int> walk =
      repaint_walk(static_cast<int>(ts.size()) - 1, inpainting.resamplings, inpainting.jump);
  const int total = reverse_steps(walk);
  int done = 0;
  Walker walker(chain, sampling, inpainting, x);
  for (std::size_t i = 1; i < walk.size(); ++i) {
    const int from = ts[static_cast<std::size_t>(walk[i - 1])];
    const int to = ts[static_cast<std::size_t>(walk[i])];
    if (to > from) {
      x = walker.up(x, from, to);
      continue;
    }
    if (chain.stop && chain.stop()) break;
    x = walker.down(x, from, to);
    if (chain.progress) chain.progress(++done, total);
  }
  return x;
}

}  // namespace tinta::sampling
