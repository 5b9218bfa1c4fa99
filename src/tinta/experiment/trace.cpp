#include "tinta/experiment/trace.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <c10/util/StringUtil.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>

namespace tinta::experiment {
namespace {

using Clock = std::chrono::steady_clock;

TensorForm form_of(const at::Tensor& tensor) {
  return {.sizes = tensor.sizes().vec(),
          .strides = tensor.strides().vec(),
          .dtype = tensor.scalar_type(),
          .device = tensor.device()};
}

bool is_strided(const c10::IValue& value) {
  return value.isTensor() && value.toTensor().defined() &&
         value.toTensor().layout() == at::kStrided;
}

std::string sizes_of(c10::ArrayRef<const c10::IValue> inputs) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (const c10::IValue& value : inputs.slice(0, std::min(inputs.size(), kMost))) {
    if (!is_strided(value)) continue;
    text += c10::str(text.empty() ? "[" : " [", c10::Join(",", value.toTensor().sizes()), "]");
  }
  return text;
}

// The arguments of aten::convolution_backward, by their places in its schema.
std::shared_ptr<const ConvolutionBackward> convolution_of(std::string_view name,
                                                          c10::ArrayRef<const c10::IValue> inputs) {
  if (name != "aten::convolution_backward" || inputs.size() != 11) return nullptr;
  const bool known = is_strided(inputs[0]) && is_strided(inputs[1]) && is_strided(inputs[2]) &&
                     inputs[4].isIntList() && inputs[5].isIntList() && inputs[6].isIntList() &&
                     inputs[7].isBool() && !inputs[7].toBool() && inputs[9].isInt() &&
                     inputs[10].isBoolList();
  if (!known) return nullptr;
  const c10::List<bool> mask = inputs[10].toBoolList();
  return std::make_shared<ConvolutionBackward>(
      ConvolutionBackward{.upstream = form_of(inputs[0].toTensor()),
                          .input = form_of(inputs[1].toTensor()),
                          .weight = form_of(inputs[2].toTensor()),
                          .stride = inputs[4].toIntVector(),
                          .padding = inputs[5].toIntVector(),
                          .dilation = inputs[6].toIntVector(),
                          .groups = inputs[9].toInt(),
                          .to_input = mask[0],
                          .to_weight = mask[1]});
}

struct Begun : at::ObserverContext {
  explicit Begun(std::size_t given) : index(given) {}
  std::size_t index;
};

}  // namespace

// LibTorch hands an observer's functions no state of their own; its thread-local debug information,
// which it takes along into the threads of a backward pass, is where they find it.
class Trace::Journal : public c10::DebugInfoBase {
 public:
  explicit Journal(at::Device device) : device_(device) {}

  static std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
    Journal* journal = current();
    return journal == nullptr ? nullptr : journal->begin(function);
  }
  static void on_end(const at::RecordFunction&, at::ObserverContext* context) {
    Journal* journal = current();
    if (journal != nullptr && context != nullptr) journal->end(static_cast<Begun*>(context)->index);
  }

  // Those that have ended.
  std::vector<Operation> take() {
    const std::lock_guard lock(mutex_);
    std::erase_if(operations_, [](const Operation& operation) { return operation.end < 0; });
    std::ranges::stable_sort(operations_, {}, [](const Operation& operation) {
      return std::tuple(operation.thread, operation.start, -operation.end);
    });
    return std::exchange(operations_, {});
  }

 private:
  static Journal* current() {
    return static_cast<Journal*>(c10::ThreadLocalDebugInfo::get(c10::DebugInfoKind::PRODUCER_INFO));
  }

  [[nodiscard]] std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - origin_).count();
  }

  std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
    const auto inputs = function.inputs();
    Operation operation{.name = function.name(),
                        .thread = at::RecordFunction::currentThreadId(),
                        .end = -1,
                        .sizes = sizes_of(inputs),
                        .convolution = convolution_of(function.name(), inputs)};
    wait_for(device_);
    operation.start = now();
    const std::lock_guard lock(mutex_);
    operations_.push_back(std::move(operation));
    return std::make_unique<Begun>(operations_.size() - 1);
  }

  void end(std::size_t index) {
    wait_for(device_);
    const std::int64_t time = now();
    const std::lock_guard lock(mutex_);
    if (index < operations_.size()) operations_[index].end = time;
  }

  at::Device device_;
  Clock::time_point origin_ = Clock::now();
  std::mutex mutex_;
  std::vector<Operation> operations_;
};

Trace::Trace(at::Device device) : journal_(std::make_shared<Journal>(device)) {
  guard_ = std::make_unique<c10::DebugInfoGuard>(c10::DebugInfoKind::PRODUCER_INFO, journal_);
  callback_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(Journal::on_start, Journal::on_end)
          .needsInputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                   at::RecordScope::USER_SCOPE}));
}

Trace::~Trace() { stop(); }

void Trace::stop() {
  if (!guard_) return;
  at::removeCallback(callback_);
  guard_.reset();
}

std::vector<Operation> Trace::finish() {
  stop();
  return journal_->take();
}

void wait_for(at::Device device) {
  if (device.is_cpu()) return;
  c10::impl::getDeviceGuardImpl(device.type())->synchronizeDevice(device.index());
}

}  // namespace tinta::experiment
