#include "tinta/training/recorded_step.h"

#include <ATen/ATen.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cmath>
#include <exception>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/random.h"
#include "tinta/training/accumulation.h"
#include "tinta/training/loss.h"

namespace tinta::training {
namespace {

constexpr int kWarmUp = 3;  ///< steps before the record

/// Writes to where a tensor lies, through pinned memory, without waiting; makes it at first.
void write(at::Tensor& to, const at::Tensor& from, const at::Device& device) {
  if (!from.defined()) return;
  if (!to.defined()) to = at::empty(from.sizes(), from.options().device(device));
  if (to.sizes() != from.sizes()) {
    throw ArgumentError(c10::str("[RecordedStep] expected every batch of the first one's sizes, ",
                                 to.sizes(), ", got ", from.sizes()));
  }
  to.copy_(from.is_cpu() && device.is_cuda() ? from.pin_memory() : from, /*non_blocking=*/true);
}

class GraphStep : public RecordedStep {
 public:
  GraphStep(const StepParts& parts, std::unique_ptr<kernels::StepGraph> graph)
      : network_(parts.network),
        schedule_(parts.schedule),
        config_(parts.config),
        optimizer_(parts.optimizer),
        graph_(std::move(graph)),
        device_(parts.network.named_parameters().front().second.device()) {}

  UpdateValues run(const data::Batch& batch, double learning_rate) override {
    UpdateValues values;
    // Everything on the graph's stream, what is sent and what is read too: no other must wait.
    graph_->run([&] {
      prepare(batch, learning_rate);
      carry_out();
      const at::Tensor losses = loss_.values();
      values.loss = losses[0].item<double>();
      values.levels = LevelLosses::of(t_, losses.slice(0, 1), schedule_.training_levels());
      values.gradient_norm = optimizer_.norm_of(live_.square_sum.item<double>());
      if (std::isfinite(values.loss) && std::isfinite(values.gradient_norm)) count();
    });
    return values;
  }

  std::string take_note() override { return std::exchange(note_, {}); }

 private:
  void prepare(const data::Batch& batch, double learning_rate) {
    const Draws draws = draw_without_noise(batch, schedule_.training_levels(), network_.classes(),
                                           config_.class_dropout, config_.seed);
    t_ = draws.t;
    const LossInputs given = loss_inputs(schedule_, network_.prediction(), batch, draws);
    write(inputs_.x0, given.x0, device_);
    write(inputs_.a, given.a, device_);
    write(inputs_.s, given.s, device_);
    write(inputs_.time, given.time, device_);
    write(inputs_.labels, given.labels, device_);
    write(inputs_.augment, given.augment, device_);
    write(inputs_.c_in, given.c_in, device_);
    write(inputs_.on_x0, given.on_x0, device_);
    write(inputs_.on_noise, given.on_noise, device_);
    const auto first = static_cast<std::int64_t>(batch.first_sample);
    write(samples_, at::arange(first, first + batch.x0.size(0), at::kLong), device_);
    if (!inputs_.noise.defined()) inputs_.noise = at::empty_like(inputs_.x0);
    write(scale_, at::scalar_tensor(optimizer_.loss_scale()), device_);
    if (!live_.numbers.defined()) live_ = kernels::make_live_step(device_);
    kernels::write_live_step(live_, optimizer_.next_numbers(config_, learning_rate));
  }

  void carry_out() {
    if (steps_ < kWarmUp || refused_) {
      ++steps_;
      return compute();
    }
    if (!recorded_) record();
    if (refused_) return compute();
    graph_->play();
  }

  // Tracked averages follow here, on the graph's stream; others, which read them, do not wait for
  // it.
  void count() {
    optimizer_.count();
    if (config_.ema_relative_widths.empty() || device_.is_cpu()) return;
    c10::impl::getDeviceGuardImpl(device_.type())->synchronizeDevice(device_.index());
  }

  // What is recorded. Nothing here may wait for the GPU.
  void compute() {
    kernels::fill_normal(inputs_.noise, {.seed = config_.seed, .stream = Stream::noise}, samples_);
    const std::int64_t parts = config_.accumulate;
    const std::int64_t count = samples_.size(0) / parts;
    const auto loss_of_part = [&](std::int64_t part) {
      return loss_of(network_, part_of(inputs_, parts, part),
                     {.seed = config_.seed,
                      .first_sample = 0,
                      .samples = samples_.narrow(0, part * count, count)});
    };
    loss_ = accumulate_gradients(network_, parts, loss_of_part, scale_);
    optimizer_.queue(live_, config_.clip_norm, loss_.mean);
  }

  void record() {
    try {
      graph_->record([&] { compute(); });
      recorded_ = true;
    } catch (const std::exception& error) {
      // Slower, not wrong: the steps are done as they come.
      optimizer_.clear_gradients();
      refused_ = true;
      note_ =
          std::string("steps cannot be recorded as a CUDA graph and take longer: ") + error.what();
    }
  }

  process::TrainableDenoiser& network_;
  const process::Schedule& schedule_;
  const config::TrainingConfig& config_;
  Optimizer& optimizer_;
  std::unique_ptr<kernels::StepGraph> graph_;
  at::Device device_;
  LossInputs inputs_;
  at::Tensor samples_, t_, scale_;
  BatchLoss loss_;
  kernels::LiveStep live_;
  int steps_ = 0;
  bool recorded_ = false;
  bool refused_ = false;
  std::string note_;
};

}  // namespace

std::unique_ptr<RecordedStep> make_recorded_step(const StepParts& parts,
                                                 std::unique_ptr<kernels::StepGraph> graph) {
  if (!graph) return nullptr;
  return std::make_unique<GraphStep>(parts, std::move(graph));
}

}  // namespace tinta::training
