#include "tinta/kernels/random.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <string>

#include "tinta/core/error.h"
#include "tinta/kernels/gpu.h"
#include "tinta/kernels/isa.h"
#include "tinta/kernels/random_cpu.h"
#include "tinta/kernels/row_keys.h"

namespace tinta::kernels {

TINTA_KERNEL_TABLES(RandomKernels, random)

namespace {

void require_rows(const at::Tensor& out, const char* where) {
  const bool somewhere = out.is_cpu() || out.is_cuda();
  if (out.dim() < 1 || out.scalar_type() != at::kFloat || !somewhere || !out.is_contiguous()) {
    throw ArgumentError(std::string("[") + where +
                        "] expected a contiguous float32 tensor [B,...] on the CPU or a GPU, got " +
                        std::string(c10::toString(out.scalar_type())) + " with " +
                        std::to_string(out.dim()) + " dimensions on " + out.device().str());
  }
}

void require_samples(const at::Tensor& out, const at::Tensor& samples, const char* where) {
  if (samples.scalar_type() != at::kLong || samples.dim() != 1 || samples.size(0) != out.size(0)) {
    throw ArgumentError(std::string("[") + where +
                        "] expected samples [B] int64 with B = " + std::to_string(out.size(0)));
  }
  require_same_device(where, out, samples, "samples");
}

// Calls fill(row pointer, row length, key of the row) for every row, in parallel.
template <class Fill>
void for_each_row(at::Tensor& out, const RowKeys& keys, Fill fill) {
  const std::int64_t rows = out.size(0);
  const std::int64_t length = rows == 0 ? 0 : out.numel() / rows;
  auto* data = out.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      fill(data + row * length, length, keys.at(row));
  });
}

device::RandomRows rows_of(at::Tensor& out, const RowKeys& keys) {
  const std::int64_t rows = out.size(0);
  return {
      .out = out.mutable_data_ptr<float>(),
      .rows = rows,
      .length = rows == 0 ? 0 : out.numel() / rows,
      .first = {.seed = keys.first.seed,
                .sample = keys.first.sample,
                .step = keys.first.step,
                .stream = static_cast<std::uint32_t>(keys.first.stream)},
      .samples = keys.samples.defined() ? keys.samples.const_data_ptr<std::int64_t>() : nullptr};
}

// Fills a tensor of the CPU and copies it: for GPUs that this build has no kernels for.
template <class Fill>
void fill_by_copy(at::Tensor& out, const RowKeys& keys, const Fill& fill) {
  at::Tensor drawn = at::empty(out.sizes(), at::kFloat);
  fill(drawn, RowKeys{keys.first, keys.samples.defined() ? keys.samples.cpu() : at::Tensor()});
  out.copy_(drawn);
}

void fill_normal_rows(at::Tensor& out, const RowKeys& keys) {
  if (const CudaKernels* gpu = kernels_for(out)) {
    const device::FillNormal program{rows_of(out, keys)};
    launch_on(out, "fill_normal",
              [&](CudaStream stream) { return gpu->fill_normal(program, stream); });
  } else if (!out.is_cpu()) {
    fill_by_copy(out, keys, fill_normal_rows);
  } else {
    for_each_row(out, keys, [](float* row, std::int64_t length, const RandomKey& key) {
      random_kernels().normal_row(row, length, key);
    });
  }
}

void fill_dropout_rows(at::Tensor& out, const RowKeys& keys, double p) {
  require_rows(out, "fill_dropout");
  if (!(p >= 0 && p < 1)) {
    throw ArgumentError("[fill_dropout] expected a probability in [0, 1), got " +
                        std::to_string(p));
  }
  const auto threshold = static_cast<std::uint32_t>(p * 0x1p32);
  const auto kept = static_cast<float>(1 / (1 - p));
  if (const CudaKernels* gpu = kernels_for(out)) {
    const device::FillDropout program{rows_of(out, keys), threshold, kept};
    launch_on(out, "fill_dropout",
              [&](CudaStream stream) { return gpu->fill_dropout(program, stream); });
  } else if (!out.is_cpu()) {
    fill_by_copy(out, keys,
                 [p](at::Tensor& drawn, const RowKeys& own) { fill_dropout_rows(drawn, own, p); });
  } else {
    for_each_row(out, keys, [&](float* row, std::int64_t length, const RandomKey& key) {
      random_kernels().dropout_row(row, length, key, threshold, kept);
    });
  }
}

}  // namespace

void fill_normal(at::Tensor& out, const RandomKey& first) {
  require_rows(out, "fill_normal");
  fill_normal_rows(out, {first});
}

void fill_normal(at::Tensor& out, const RandomKey& key, const at::Tensor& samples) {
  require_rows(out, "fill_normal");
  require_samples(out, samples, "fill_normal");
  fill_normal_rows(out, {key, samples.contiguous()});
}

at::Tensor normal(at::IntArrayRef sizes, const RandomKey& first, const at::Device& device) {
  at::Tensor out = at::empty(sizes, at::TensorOptions(at::kFloat).device(device));
  fill_normal(out, first);
  return out;
}

void fill_dropout(at::Tensor& out, const RandomKey& first, double p) {
  fill_dropout_rows(out, {first}, p);
}

void fill_dropout(at::Tensor& out, const RandomKey& key, const at::Tensor& samples, double p) {
  require_rows(out, "fill_dropout");
  require_samples(out, samples, "fill_dropout");
  fill_dropout_rows(out, {key, samples.contiguous()}, p);
}

}  // namespace tinta::kernels
