#include "tinta/evaluation/denoising.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <sstream>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/evaluation/quality.h"
#include "tinta/kernels/random.h"
#include "tinta/process/forward.h"
#include "tinta/sampling/sampler.h"

namespace tinta::evaluation {
namespace {

// t_start and t share the 32-bit step of a chain's random key.
constexpr int kStepBits = 16;

Score score_of(const at::Tensor& values) {
  return {.mean = values.mean().item<double>(),
          .standard_error = values.std(/*unbiased=*/true).item<double>() /
                            std::sqrt(static_cast<double>(values.numel()))};
}

// Gathers the quality of one kind of picture, batch by batch, each in its place.
class Collector {
 public:
  /// @param sizes of all pictures
  Collector(at::IntArrayRef sizes, std::int64_t keep)
      : kept_(keep_first(sizes, keep)),
        psnr_(at::zeros({sizes[0]}, at::kDouble)),
        ssim_(at::zeros({sizes[0]}, at::kDouble)) {}

  /// Pictures from number `first` on.
  void add(std::int64_t first, const at::Tensor& x0, const at::Tensor& estimate) {
    psnr_.narrow(0, first, x0.size(0)).copy_(psnr(x0, estimate));
    ssim_.narrow(0, first, x0.size(0)).copy_(ssim(x0, estimate));
    keep(kept_, first, estimate);
  }

  /// Of all ranks' batches: where one has pictures the others have zeros.
  [[nodiscard]] Quality finish(dist::Group& group) {
    for (const at::Tensor& sum : {psnr_, ssim_, kept_}) group.sum(sum);
    return {.psnr = score_of(psnr_), .ssim = score_of(ssim_), .pictures = kept_};
  }

  static at::Tensor keep_first(at::IntArrayRef sizes, std::int64_t keep) {
    std::vector<std::int64_t> kept = sizes.vec();
    kept[0] = std::min(keep, kept[0]);
    return at::zeros(kept, at::kFloat);
  }
  static void keep(at::Tensor& kept, std::int64_t first, const at::Tensor& pictures) {
    const std::int64_t wanted = std::clamp<std::int64_t>(kept.size(0) - first, 0, pictures.size(0));
    if (wanted > 0) kept.narrow(0, first, wanted).copy_(pictures.narrow(0, 0, wanted));
  }

 private:
  at::Tensor kept_, psnr_, ssim_;
};

// Counts pictures through the denoiser and tells the time left at the rate so far.
class Meter {
 public:
  Meter(const Sinks& sinks, std::int64_t total) : sinks_(sinks), total_(total) {}

  void advance(std::int64_t pictures, const std::string& detail) {
    done_ = std::min(done_ + pictures, total_);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    sinks_.report({.what = "denoising",
                   .done = done_,
                   .total = total_,
                   .detail = detail,
                   .seconds_left = elapsed.count() * static_cast<double>(total_ - done_) /
                                   static_cast<double>(done_)});
  }

 private:
  const Sinks& sinks_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// One evaluation: the steps share the task, the config and the meter.
class Evaluation {
 public:
  Evaluation(const DenoiseTask& task, const DenoiseConfig& config)
      : task_(task),
        config_(config),
        chain_images_(std::min(config.chain_images, task.images.size(0))),
        batch_(batch_of(task, config)),
        meter_(task.sinks, work()) {}

  std::optional<DenoiseReport> run() {
    const std::int64_t keep = std::min(config_.keep, task_.images.size(0));
    DenoiseReport report{.images = task_.images.size(0),
                         .chain_images = chain_images_,
                         .seed = config_.seed,
                         .x0 = task_.images.narrow(0, 0, keep).clone()};
    for (const std::int64_t t : config_.t) {
      DenoiseRow row{.t = static_cast<int>(t)};
      if (!one_shot(row) || !reverse_chain(row)) return std::nullopt;
      report.rows.push_back(std::move(row));
    }
    return report;
  }

 private:
  // So many that every rank has some.
  static std::int64_t batch_of(const DenoiseTask& task, const DenoiseConfig& config) {
    const std::int64_t ranks = task.group.size();
    if (ranks == 1) return config.batch;
    return std::clamp<std::int64_t>((task.images.size(0) + ranks - 1) / ranks, 1, config.batch);
  }

  [[nodiscard]] std::int64_t work() const {
    std::int64_t pictures = 0;
    for (const std::int64_t t : config_.t) pictures += task_.images.size(0) + t * chain_images_;
    return pictures;
  }

  [[nodiscard]] bool stopped() const { return task_.stop && task_.stop(); }

  // Whether any rank was stopped; all call it.
  [[nodiscard]] bool any_stopped(bool stopped) const {
    std::vector<double> stops{stopped ? 1.0 : 0.0};
    task_.group.sum(stops);
    return stops[0] > 0;
  }

  // Calls for each of this rank's batches, with its first picture, while it answers true: every
  // rank's share of whole batches, so that a picture is in the same company on any number of ranks
  // of the same batch. @return whether all ranks came to their end
  bool each_batch(std::int64_t end, const std::function<bool(std::int64_t first)>& call) const {
    const std::int64_t stride = batch_ * task_.group.size();
    bool going = true;
    for (std::int64_t first = batch_ * task_.group.rank(); first < end && going; first += stride) {
      going = call(first);
    }
    return !any_stopped(!going);
  }

  [[nodiscard]] at::Tensor noised(const at::Tensor& x0, std::int64_t first, int t) const {
    const at::Tensor noise =
        kernels::normal(x0.sizes(), {.seed = config_.seed,
                                     .stream = Stream::denoise_forward,
                                     .sample = static_cast<std::uint64_t>(first),
                                     .step = static_cast<std::uint32_t>(t)});
    return process::add_noise(task_.schedule.level(t), x0, noise);
  }

  // Everything but the chain, over the whole set. False when stopped.
  bool one_shot(DenoiseRow& row) {
    const process::NoiseLevel level = task_.schedule.level(row.t);
    const double sigma = level.s / level.a;
    const double gain = task_.classical == nullptr ? 0 : task_.classical->tuned_gain(sigma);
    const auto collector = [&] { return Collector(task_.images.sizes(), config_.keep); };
    Collector noisy = collector(), restored = collector(), classical = collector();
    row.x_t = Collector::keep_first(task_.images.sizes(), config_.keep);
    const bool done = each_batch(task_.images.size(0), [&](std::int64_t first) {
      if (stopped()) return false;
      const at::Tensor x0 = slice(first, task_.images.size(0));
      const at::Tensor x_t = noised(x0, first, row.t);
      const at::Tensor observed = x_t / level.a;
      const at::Tensor estimate = task_.denoiser.x0(x_t.to(config_.device), level);
      noisy.add(first, x0, observed.clamp(-1, 1));
      restored.add(first, x0, estimate.to(x0.options()).clamp(-1, 1));
      if (task_.classical != nullptr)
        classical.add(first, x0, task_.classical->denoise(observed, sigma, gain));
      Collector::keep(row.x_t, first, x_t);
      meter_.advance(x0.size(0) * task_.group.size(),
                     "t = " + std::to_string(row.t) + ", one-shot");
      return true;
    });
    if (!done) return false;
    task_.group.sum(row.x_t);
    row.noisy = noisy.finish(task_.group);
    row.restored = restored.finish(task_.group);
    if (task_.classical != nullptr) row.classical = classical.finish(task_.group);
    return true;
  }

  // The reverse chain of the first pictures. False when stopped.
  bool reverse_chain(DenoiseRow& row) {
    if (chain_images_ == 0) return true;
    Collector restored(task_.images.narrow(0, 0, chain_images_).sizes(), config_.keep);
    const bool done = each_batch(chain_images_, [&](std::int64_t first) {
      const at::Tensor x0 = slice(first, chain_images_);
      bool stop = false;
      const sampling::Chain chain{.schedule = task_.schedule,
                                  .denoiser = task_.denoiser,
                                  .noise = chain_noise(x0.sizes(), first, row.t),
                                  .progress =
                                      [&](int /*done*/, int /*total*/) {
                                        meter_.advance(
                                            x0.size(0) * task_.group.size(),
                                            "t = " + std::to_string(row.t) + ", reverse chain");
                                      },
                                  .stop = [&] { return stop = stop || stopped(); }};
      const at::Tensor x = sampling::ddpm(chain, {}, sampling::time_steps(row.t, row.t),
                                          noised(x0, first, row.t).to(config_.device));
      if (!stop) restored.add(first, x0, x.to(x0.options()).clamp(-1, 1));
      return !stop;
    });
    if (!done) return false;
    row.chain = restored.finish(task_.group);
    return true;
  }

  [[nodiscard]] sampling::NoiseSource chain_noise(at::IntArrayRef sizes, std::int64_t first,
                                                  int t_start) const {
    return [source = sampling::philox_noise(sizes, config_.seed, static_cast<std::uint64_t>(first),
                                            Stream::denoise_chain, config_.device),
            start = static_cast<std::uint32_t>(t_start) << kStepBits](std::uint32_t step) {
      return source(start | step);
    };
  }

  [[nodiscard]] at::Tensor slice(std::int64_t first, std::int64_t end) const {
    return task_.images.narrow(0, first, std::min(batch_, end - first));
  }

  const DenoiseTask& task_;
  const DenoiseConfig& config_;
  std::int64_t chain_images_;
  std::int64_t batch_;
  Meter meter_;
};

void require_images(const at::Tensor& images) {
  if (images.defined() && images.dim() == 4 && images.numel() > 0 &&
      images.scalar_type() == at::kFloat && images.is_cpu()) {
    return;
  }
  std::ostringstream message;
  message << "[denoise] expected images [N,C,H,W] float32 on the CPU, got ";
  if (images.defined()) {
    message << images.sizes() << " " << images.scalar_type() << " on " << images.device();
  } else {
    message << "an undefined tensor";
  }
  throw ArgumentError(message.str());
}

}  // namespace

std::vector<std::string> problems(const DenoiseConfig& config, const process::Schedule& schedule) {
  std::vector<std::string> found;
  const int highest = std::min(schedule.steps(), (1 << kStepBits) - 1);
  if (config.t.empty()) found.emplace_back("t: expected at least one noise level, got none");
  for (const std::int64_t t : config.t) {
    if (t < 1 || t > highest) {
      found.push_back("t: expected noise levels in 1.." + std::to_string(highest) + ", got " +
                      std::to_string(t));
    }
  }
  const auto at_least = [&](const char* key, std::int64_t value, std::int64_t lowest) {
    if (value < lowest) {
      found.push_back(std::string(key) + ": expected at least " + std::to_string(lowest) +
                      ", got " + std::to_string(value));
    }
  };
  at_least("chain_images", config.chain_images, 0);
  at_least("batch", config.batch, 1);
  at_least("keep", config.keep, 0);
  return found;
}

std::optional<DenoiseReport> denoise(const DenoiseTask& task, const DenoiseConfig& config) {
  if (const auto found = problems(config, task.schedule); !found.empty())
    throw ArgumentError("[denoise] " + join(found, "; "));
  require_images(task.images);
  const at::NoGradGuard no_grad;
  return Evaluation(task, config).run();
}

}  // namespace tinta::evaluation
