#include "tinta/kernels/random.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/random_cpu.h"

#include "tinta/kernels/isa.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(RandomKernels, random)

namespace {

void require_rows(const at::Tensor& out, const char* where) {
  if (out.dim() < 1 || out.scalar_type() != at::kFloat || !out.is_cpu() || !out.is_contiguous()) {
    throw ArgumentError(std::string("[") + where +
                        "] expected a contiguous float32 CPU tensor [B,...], got " +
                        std::string(c10::toString(out.scalar_type())) + " with " +
                        std::to_string(out.dim()) + " dimensions");
  }
}

// Calls fill(row pointer, row length, key of the row) for every row, in parallel.
template <class Key, class Fill>
void for_each_row(at::Tensor& out, Key key_of_row, Fill fill) {
  const std::int64_t rows = out.size(0);
  const std::int64_t length = rows == 0 ? 0 : out.numel() / rows;
  auto* data = out.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      fill(data + row * length, length, key_of_row(row));
  });
}

auto consecutive(const RandomKey& first) {
  return [first](std::int64_t row) {
    RandomKey key = first;
    key.sample += static_cast<std::uint64_t>(row);
    return key;
  };
}

}  // namespace

void fill_normal(at::Tensor& out, const RandomKey& first) {
  require_rows(out, "fill_normal");
  for_each_row(out, consecutive(first), [](float* row, std::int64_t length, const RandomKey& key) {
    random_kernels().normal_row(row, length, key);
  });
}

void fill_normal(at::Tensor& out, const RandomKey& key, const at::Tensor& samples) {
  require_rows(out, "fill_normal");
  if (samples.scalar_type() != at::kLong || samples.dim() != 1 || samples.size(0) != out.size(0)) {
    throw ArgumentError("[fill_normal] expected samples [B] int64 with B = " +
                        std::to_string(out.size(0)));
  }
  const at::Tensor dense = samples.contiguous();
  const auto* indices = dense.const_data_ptr<std::int64_t>();
  for_each_row(
      out,
      [&](std::int64_t row) {
        RandomKey own = key;
        own.sample = static_cast<std::uint64_t>(indices[row]);
        return own;
      },
      [](float* row, std::int64_t length, const RandomKey& own) {
        random_kernels().normal_row(row, length, own);
      });
}

at::Tensor normal(at::IntArrayRef sizes, const RandomKey& first) {
  at::Tensor out = at::empty(sizes, at::kFloat);
  fill_normal(out, first);
  return out;
}

void fill_dropout(at::Tensor& out, const RandomKey& first, double p) {
  require_rows(out, "fill_dropout");
  if (!(p >= 0 && p < 1)) {
    throw ArgumentError("[fill_dropout] expected a probability in [0, 1), got " +
                        std::to_string(p));
  }
  const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);
  const auto kept = static_cast<float>(1 / (1 - p));
  for_each_row(out, consecutive(first), [&](float* row, std::int64_t length, const RandomKey& key) {
    random_kernels().dropout_row(row, length, key, threshold, kept);
  });
}

}  // namespace tinta::kernels
