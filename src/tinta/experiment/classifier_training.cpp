#include "tinta/experiment/classifier_training.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"
#include "tinta/data/loader.h"
#include "tinta/data/shift.h"
#include "tinta/io/pixels.h"
#include "tinta/kernels/adamw.h"
#include "tinta/model/init.h"

namespace tinta::experiment {
namespace {

constexpr double kLabelSmoothing = 0.1;
constexpr double kWeightDecay = 0.05;
constexpr double kClipNorm = 5;
constexpr double kBeta1 = 0.9, kBeta2 = 0.99;

model::ClassifierConfig config_for(const ClassifierTask& task) {
  const data::Dataset& train = task.train;
  data::require_valid(train);
  if (train.classes < 2) {
    throw ArgumentError("[classifier] expected pictures of at least 2 classes, got " +
                        std::to_string(train.classes) + " in " + train.name);
  }
  model::ClassifierConfig config{.channels = train.images.size(1),
                                 .height = train.images.size(2),
                                 .width = train.images.size(3),
                                 .classes = train.classes,
                                 .features = task.features,
                                 .mean = {},
                                 .deviation = {},
                                 .mirrored = train.flip == data::Flip::half};
  for (std::int64_t c = 0; c < config.channels; ++c) {
    // A few thousand pictures tell the mean of a channel to a thousandth.
    const at::Tensor channel = io::from_bytes(train.images.slice(0, 0, 5000).select(1, c));
    const auto [deviation, mean] = at::std_mean(channel.to(at::kDouble), /*unbiased=*/false);
    config.mean.push_back(mean.item<double>());
    config.deviation.push_back(std::max(deviation.item<double>(), 1e-3));
  }
  return config;
}

// The optimiser's arrays: masters in float32, begun as the network's weights.
std::vector<kernels::AdamwState> states_of(const training::NamedTensors& masters,
                                           const training::NamedTensors& weights) {
  std::vector<kernels::AdamwState> states;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor weight = weights[i].second.detach();
    at::Tensor master =
        at::empty_like(weight, weight.options().dtype(at::kFloat)).copy_(masters[i].second);
    states.push_back({.weight = weight,
                      .master = master,
                      .m = at::zeros_like(master),
                      .v = at::zeros_like(master),
                      .ema = at::zeros_like(master)});
  }
  return states;
}

std::vector<at::Tensor> taken_gradients(const training::NamedTensors& weights) {
  std::vector<at::Tensor> gradients;
  for (const auto& [name, weight] : weights) {
    gradients.push_back(weight.grad());
    weight.mutable_grad() = at::Tensor();
  }
  return gradients;
}

class Training {
 public:
  Training(const ClassifierTask& task, const Sinks& sinks)
      : task_(task),
        sinks_(sinks),
        network_(std::make_shared<model::Classifier>(config_for(task))),
        batch_(task.batch > 0 ? task.batch : chosen_batch(task.train.size())),
        loader_(task.train, batch_, task.seed),
        steps_(std::max<std::int64_t>(1, task.epochs * task.train.size() / batch_)) {
    model::initialise(*network_, task.seed);
    training::NamedTensors masters;
    for (const auto& [name, weight] : network_->weights()) {
      masters.emplace_back(name, weight.detach().clone());
    }
    place(*network_, task.compute);
    weights_ = network_->weights();
    states_ = states_of(masters, weights_);
  }

  // How far it is, 0 to 1, by whichever of its budgets is nearest its end.
  [[nodiscard]] double done() const {
    const double by_steps = static_cast<double>(step_) / static_cast<double>(steps_);
    return task_.minutes ? std::max(by_steps, seconds() / (60 * *task_.minutes)) : by_steps;
  }

  void step() {
    const data::Batch batch = loader_.batch(static_cast<std::uint64_t>(step_));
    const double rate = one_cycle(done()) * task_.learning_rate;
    const at::Tensor x = data::random_shift(batch, task_.seed).to(task_.compute.device);
    const at::Tensor loss =
        at::cross_entropy_loss(network_->forward(x), batch.labels.to(task_.compute.device), {},
                               at::Reduction::Mean, -100, kLabelSmoothing);
    loss.backward();
    update(rate, loss.item<double>());
    loss_sum_ += loss.item<double>();
    ++step_;
    report();
  }

  [[nodiscard]] ClassifierFit result() const {
    ClassifierFit fit{
        .network = network_,
        .weights = {},
        .epochs = static_cast<double>(step_ * batch_) / static_cast<double>(task_.train.size()),
        .seconds = seconds()};
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      fit.weights.emplace_back(weights_[i].first, states_[i].master.cpu().contiguous());
    }
    return fit;
  }

 private:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void update(double rate, double loss) {
    const std::vector<at::Tensor> gradients = taken_gradients(weights_);
    const double norm = std::sqrt(kernels::square_sum(gradients));
    if (!std::isfinite(loss) || !std::isfinite(norm)) {
      throw NonFiniteError("[classifier] step " + std::to_string(step_ + 1) +
                           ": expected a finite loss and gradient, got loss " + shortest(loss) +
                           " and gradient norm " + shortest(norm));
    }
    const auto n = static_cast<double>(step_ + 1);
    kernels::adamw_steps(
        states_, gradients,
        {.learning_rate = static_cast<float>(rate),
         .beta1 = static_cast<float>(kBeta1),
         .beta2 = static_cast<float>(kBeta2),
         .weight_decay = static_cast<float>(kWeightDecay),
         .correction1 = static_cast<float>(1 - std::pow(kBeta1, n)),
         .correction2 = static_cast<float>(1 - std::pow(kBeta2, n)),
         .gradient_scale = static_cast<float>(std::min(1.0, kClipNorm / std::max(norm, 1e-12)))});
  }

  void report() {
    const double elapsed = seconds(), part = done();
    sinks_.report(
        {.what = "training",
         .done = step_,
         .total = task_.minutes ? std::llround(static_cast<double>(step_) / part) : steps_,
         .detail = "classifier",
         .seconds_left = part < 1 ? elapsed * (1 - part) / part : 0});
    const std::int64_t epoch = step_ * batch_ / task_.train.size();
    if (epoch == logged_epoch_) return;
    sinks_.info("epoch " + std::to_string(epoch) + " of " + std::to_string(task_.epochs) +
                ": loss " + fixed(loss_sum_ / static_cast<double>(step_ - logged_step_), 4) + ", " +
                fixed(static_cast<double>(step_ * batch_) / elapsed, 0) + " img/s");
    logged_epoch_ = epoch;
    logged_step_ = step_;
    loss_sum_ = 0;
  }

  const ClassifierTask& task_;
  const Sinks& sinks_;
  std::shared_ptr<model::Classifier> network_;
  std::int64_t batch_;
  data::Loader loader_;
  training::NamedTensors weights_;
  std::vector<kernels::AdamwState> states_;
  std::int64_t steps_, step_ = 0, logged_epoch_ = 0, logged_step_ = 0;
  double loss_sum_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

std::int64_t chosen_batch(std::int64_t pictures) {
  return std::min(pictures, std::clamp<std::int64_t>(pictures / 64, 8, 128));
}

double one_cycle(double done) {
  constexpr double kRise = 0.2;
  const double at = std::clamp(done, 0.0, 1.0);
  return at < kRise ? std::max(at, 0.01 * kRise) / kRise : (1 - at) / (1 - kRise);
}

ClassifierFit train_classifier(const ClassifierTask& task, const Sinks& sinks,
                               const StopRequested& stop) {
  Training training(task, sinks);
  while (training.done() < 1) {
    if (stop && stop()) return {};
    training.step();
  }
  return training.result();
}

at::Tensor classify(model::Classifier& network, const at::Tensor& pictures,
                    const Compute& compute) {
  constexpr std::int64_t kBatch = 256;
  std::vector<at::Tensor> named;
  for (std::int64_t first = 0; first < pictures.size(0); first += kBatch) {
    const at::Tensor part = pictures.slice(0, first, first + kBatch);
    named.push_back(network.logits(io::from_bytes(part).to(compute.device)).argmax(1).cpu());
  }
  return named.empty() ? at::empty({0}, at::kLong) : at::cat(named);
}

std::string sha256_of(const data::Dataset& dataset) {
  const auto bytes_of = [](const at::Tensor& tensor) {
    return std::span(static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes());
  };
  std::string both = sha256(bytes_of(dataset.images));
  if (dataset.labels.defined()) both += sha256(bytes_of(dataset.labels.contiguous()));
  return sha256(both);
}

}  // namespace tinta::experiment
