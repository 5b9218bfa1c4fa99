#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/config/options.h"
#include "tinta/core/sink.h"
#include "tinta/figures/figure.h"
#include "tinta/figures/render.h"

namespace tinta::lab {

enum class Comparison {
  within,    ///< |value - expected| <= tolerance
  at_most,   ///< value <= expected + tolerance
  at_least,  ///< value >= expected - tolerance
};

/// One statement of a row that a number decides.
struct Check {
  std::string what;      ///< "mean square displacement over 2 d D t"
  double value = 0;      ///< what was computed
  double expected = 0;   ///< what must come out
  double tolerance = 0;  ///< not negative, in the units of value
  Comparison comparison = Comparison::within;
  std::string basis{};  ///< where the tolerance is from: "5 standard errors: wrong in 6e-7 of runs"
  std::vector<std::string> arrays{};  ///< of Result::arrays: enough to compute the value again

  /// A value that is not a number never passes.
  [[nodiscard]] bool pass() const;
};

struct NamedFigure {
  std::string suffix{};  ///< "" is the row's own figure, NAME.png; else NAME-SUFFIX.png
  figures::Figure figure;
};

/// What a row found.
struct Result {
  std::string reading{};                                  ///< a paragraph: what is seen
  std::vector<Check> checks{};                            ///< at least one, unless skipped
  std::map<std::string, at::Tensor> arrays{};             ///< what the checks stand on
  std::vector<std::pair<std::string, double>> numbers{};  ///< others worth telling, with units
  std::vector<NamedFigure> figures{};
  std::optional<figures::Animation> animation{};  ///< where time is the point
  std::string skipped{};                          ///< why the row could not run; "" where it did
};

enum class Effort { full, quick };

/// What a row is asked to do.
struct Context {
  std::uint64_t seed = 0;
  Effort effort = Effort::full;
  at::Tensor image{};                     ///< [C,H,W] uint8; undefined: the row's own
  std::optional<std::int64_t> steps{};    ///< what the row's entry in config/lab_rows.h says
  std::optional<std::int64_t> repeats{};  ///< seeds of a row that trains
  std::string density{};                  ///< of rows in the plane; "": the row's own
  std::vector<std::string> overrides{};   ///< "process.beta_end=0.03", in order
  std::string run{};                      ///< a trained run; "": none
  std::string data{};                     ///< folder of its pictures; "": none
  std::string classifier{};               ///< file of a trained classifier; "": none
  config::Machine machine{};
  Sinks sinks{};
  StopRequested stop{};

  /// A count by effort.
  template <class T>
  [[nodiscard]] T pick(T full, T quick) const {
    return effort == Effort::full ? full : quick;
  }
  /// Whether to give up; what a row returns after that is thrown away.
  [[nodiscard]] bool stopped() const { return stop && stop(); }
  /// The process that was asked for. @throws ArgumentError on a broken rule
  [[nodiscard]] config::ProcessConfig process(const config::ProcessConfig& own) const;
};

/// A row of the laboratory; config/lab_rows.h describes it to people.
struct Row {
  std::string name;
  Result (*run)(const Context& context);
};

/// Every row, in the order of the sources.
std::span<const Row> rows();

/// @throws ArgumentError, nearest name suggested
const Row& find_row(const std::string& name);

}  // namespace tinta::lab
