#include "tinta/dist/group.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

#include "tinta/core/error.h"

namespace tinta::dist {
namespace {

class Alone : public Group {
 public:
  Alone() : Group(0, 1) {}
  std::unique_ptr<Pending> begin_sum(at::Tensor /*x*/) override {
    struct Done : Pending {
      void wait() override {}
    };
    return std::make_unique<Done>();
  }
  void broadcast(at::Tensor /*x*/) override {}
};

std::string text_of(const at::Tensor& bytes, std::int64_t count) {
  return {reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()),
          static_cast<std::size_t>(count)};
}

void write(const at::Tensor& bytes, const std::string& text) {
  if (!text.empty()) std::memcpy(bytes.mutable_data_ptr(), text.data(), text.size());
}

}  // namespace

Group& Group::alone() {
  static Alone group;
  return group;
}

void Group::sum(const at::Tensor& x) {
  if (x.numel() > 0) begin_sum(x)->wait();
}

void Group::sum(std::vector<double>& numbers) {
  sum(at::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())}, at::kDouble));
}

std::string Group::broadcast_text(const std::string& text) {
  if (size_ == 1) return text;
  at::Tensor length = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  broadcast(length);
  const std::int64_t count = length.item<std::int64_t>();
  at::Tensor bytes = at::zeros({std::max<std::int64_t>(count, 1)}, at::kByte);
  if (leads()) write(bytes, text);
  broadcast(bytes);
  return text_of(bytes, count);
}

std::vector<std::string> Group::gather(const std::string& text) {
  if (size_ == 1) return {text};
  // Sums of tensors to which each rank adds its own row.
  at::Tensor lengths = at::zeros({size_}, at::kLong);
  lengths[rank_] = static_cast<std::int64_t>(text.size());
  sum(lengths);
  at::Tensor bytes =
      at::zeros({size_, std::max<std::int64_t>(lengths.max().item<std::int64_t>(), 1)}, at::kByte);
  write(bytes[rank_], text);
  sum(bytes);
  std::vector<std::string> texts;
  for (std::int64_t rank = 0; rank < size_; ++rank) {
    texts.push_back(text_of(bytes[rank], lengths[rank].item<std::int64_t>()));
  }
  return texts;
}

void Group::meet() { sum(at::zeros({1}, at::kLong)); }

void Group::require_alike(const std::string& what, const std::string& text) {
  const std::vector<std::string> texts = gather(text);
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] == texts[0]) continue;
    throw SystemError("[processes] expected the same " + what + " on every rank, got " + texts[0] +
                      " on rank 0 and " + texts[rank] + " on rank " + std::to_string(rank));
  }
}

}  // namespace tinta::dist
