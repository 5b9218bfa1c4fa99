#include "tinta/data/glyphs.h"

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <cstddef>
#include <string>

#include "tinta/core/error.h"
#include "tinta/data/glyph_pen.h"

namespace tinta::data {
namespace {

constexpr std::uint64_t kIndexLimit = std::uint64_t{1} << 56;  // of RandomKey::sample
constexpr std::int64_t kLargestCount = std::int64_t{1} << 32;

void validate(const GlyphOptions& options) {
  std::string problems;
  const auto broken = [&problems](const std::string& rule) {
    problems += (problems.empty() ? "" : "; ") + rule;
  };
  if (options.count < 1 || options.count > kLargestCount) {
    broken("count of 1 to 2^32, got " + std::to_string(options.count));
  }
  if (options.size < 8 || options.size > 512) {
    broken("size of 8 to 512 pixels, got " + std::to_string(options.size));
  }
  if (options.first > kIndexLimit - static_cast<std::uint64_t>(kLargestCount)) {
    broken("first of at most 2^56 - 2^32, got " + std::to_string(options.first));
  }
  if (!problems.empty()) throw ArgumentError("[draw_glyphs] expected " + problems);
}

}  // namespace

Dataset draw_glyphs(const GlyphOptions& options) {
  validate(options);
  const std::int64_t size = options.size;
  at::Tensor images = at::empty({options.count, 1, size, size}, at::kByte);
  std::uint8_t* const pixels = images.mutable_data_ptr<std::uint8_t>();
  const auto area = static_cast<std::size_t>(size * size);
  at::parallel_for(0, options.count, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto offset = static_cast<std::size_t>(i);
      draw_glyph(options.seed, options.first + offset, size, {pixels + offset * area, area});
    }
  });
  const auto first_digit = static_cast<std::int64_t>(options.first % 10);
  const at::Tensor labels =
      at::arange(first_digit, first_digit + options.count, at::kLong).remainder_(10);
  return {.name = "glyphs", .images = images, .labels = labels, .classes = 10};
}

}  // namespace tinta::data
