#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tinta::evaluation {

/// A share of `of` trials and its 95% interval.
struct Share {
  std::int64_t hits = 0;
  std::int64_t of = 0;  ///< at least 1

  [[nodiscard]] double value() const { return static_cast<double>(hits) / static_cast<double>(of); }
  [[nodiscard]] double standard_error() const;  ///< of a binomial share, at least that of one hit
  /// The shares p that lie within 1.96 standard errors sqrt(p (1 - p) / of) of value(): Wilson
  /// 1927, "Probable inference, the law of succession, and statistical inference".
  [[nodiscard]] std::pair<double, double> interval() const;
  [[nodiscard]] std::string text() const;  ///< "83.0% (77.1% to 87.6%)"
};

/// How many of two lists of labels agree. @param labels, others [N] int64
Share agreement(const at::Tensor& labels, const at::Tensor& others);

/// What a classifier makes of pictures that were asked for by class.
struct Recognition {
  Share all{};
  std::vector<Share> by_class{};  ///< of the pictures of each class; `of` 0 where there are none
  at::Tensor confusion{};         ///< [classes,classes] int64: row asked for, column recognised
};

/// @param asked, recognised [N] int64 in 0..classes-1, N at least 1
/// @throws ArgumentError
Recognition recognition(const at::Tensor& asked, const at::Tensor& recognised,
                        std::int64_t classes);

}  // namespace tinta::evaluation
