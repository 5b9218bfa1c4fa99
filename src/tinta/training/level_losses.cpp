#include "tinta/training/level_losses.h"

#include "tinta/core/error.h"

namespace tinta::training {

std::size_t LevelLosses::bin_of(std::int64_t t, std::int64_t steps) {
  return static_cast<std::size_t>((t - 1) * static_cast<std::int64_t>(kBins) / steps);
}

LevelLosses LevelLosses::of(const at::Tensor& t, const at::Tensor& each, std::int64_t steps) {
  if (t.dim() != 1 || t.sizes() != each.sizes() || t.scalar_type() != at::kLong ||
      each.scalar_type() != at::kFloat) {
    throw ArgumentError(c10::str("[LevelLosses] expected t int64 and losses float32 of one size, ",
                                 "got ", t.toString(), " ", t.sizes(), " and ", each.toString(),
                                 " ", each.sizes()));
  }
  LevelLosses losses;
  const at::Tensor values = each.contiguous();
  for (std::int64_t i = 0; i < t.size(0); ++i) {
    const std::size_t bin = bin_of(t.const_data_ptr<std::int64_t>()[i], steps);
    losses.sums.at(bin) += static_cast<double>(values.const_data_ptr<float>()[i]);
    ++losses.counts.at(bin);
  }
  return losses;
}

void LevelLosses::add(const LevelLosses& other) {
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    sums.at(bin) += other.sums.at(bin);
    counts.at(bin) += other.counts.at(bin);
  }
}

std::vector<std::optional<double>> LevelLosses::means() const {
  std::vector<std::optional<double>> all(kBins);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (counts.at(bin) > 0) all.at(bin) = sums.at(bin) / static_cast<double>(counts.at(bin));
  }
  return all;
}

}  // namespace tinta::training
