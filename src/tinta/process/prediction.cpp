#include "tinta/process/prediction.h"

#include <ATen/ATen.h>

#include <array>
#include <cstddef>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/process/edm.h"

namespace tinta::process {
namespace {

const std::array<std::string, 4> kNames = {"eps", "x0", "v", "edm"};  // in the order of the enum

/// result = on_output * output + on_xt * x_t
struct Combination {
  double on_output = 1;
  double on_xt = 0;
};

double divisor(double value, const char* name, Prediction from, Prediction to) {
  if (!(value > 0)) {
    throw ArgumentError("[convert] expected " + std::string(name) + " > 0 to turn " +
                        to_string(from) + " into " + to_string(to) + ", got " + shortest(value));
  }
  return value;
}

/// x_0 = c_skip x_t + c_out F, and with x_t = a x_0 + s eps what eps and v are of F.
Combination from_edm(Prediction to, const NoiseLevel& level) {
  const auto [a, s, time, data] = level;
  const Preconditioning c = preconditioning(level);
  const double variance = a * a * data * data + s * s;
  switch (to) {
    case Prediction::x0:
      return {.on_output = c.c_out, .on_xt = c.c_skip};
    case Prediction::eps:
      return {.on_output = c.on_eps, .on_xt = s / variance};
    case Prediction::v:
      return {.on_output = a * c.on_eps - s * c.c_out,
              .on_xt = a * s * (1 - data * data) / variance};
    case Prediction::edm:
      break;
  }
  return {};
}

/// from_edm(), solved for F.
Combination to_edm(Prediction from, const NoiseLevel& level) {
  const Combination back = from_edm(from, level);
  const char* const name = from == Prediction::x0 ? "s" : from == Prediction::eps ? "a" : "a or s";
  if (back.on_output == 0) divisor(0, name, from, Prediction::edm);
  return {.on_output = 1 / back.on_output, .on_xt = -back.on_xt / back.on_output};
}

/// x_t = a x_0 + s eps and v = a eps - s x_0, solved for `to` given x_t and `from`.
Combination combination(Prediction from, Prediction to, const NoiseLevel& level) {
  const auto [a, s, time, data] = level;
  const double norm = a * a + s * s;
  if (from == to) return {};
  if (from == Prediction::edm) return from_edm(to, level);
  if (to == Prediction::edm) return to_edm(from, level);
  switch (from) {
    case Prediction::eps: {
      const double d = divisor(a, "a", from, to);
      if (to == Prediction::x0) return {.on_output = -s / d, .on_xt = 1 / d};
      return {.on_output = norm / d, .on_xt = -s / d};
    }
    case Prediction::x0: {
      const double d = divisor(s, "s", from, to);
      if (to == Prediction::eps) return {.on_output = -a / d, .on_xt = 1 / d};
      return {.on_output = -norm / d, .on_xt = a / d};
    }
    case Prediction::v: {
      const double d = divisor(norm, "a^2 + s^2", from, to);
      if (to == Prediction::x0) return {.on_output = -s / d, .on_xt = a / d};
      return {.on_output = a / d, .on_xt = s / d};
    }
    case Prediction::edm:
      break;
  }
  throw ArgumentError("[convert] expected a known prediction, got " +
                      std::to_string(static_cast<int>(from)));
}

}  // namespace

Prediction prediction_from(const std::string& name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Prediction>(i);
  }
  throw ArgumentError("[prediction_from] expected a known prediction, got \"" + name + "\"" +
                      suggestion(name, kNames));
}

std::string to_string(Prediction prediction) {
  return kNames.at(static_cast<std::size_t>(prediction));
}

at::Tensor convert(const at::Tensor& output, Prediction from, Prediction to, const at::Tensor& x_t,
                   const NoiseLevel& level) {
  if (output.sizes() != x_t.sizes()) {
    throw ArgumentError(
        c10::str("[convert] expected an output of sizes ", x_t.sizes(), ", got ", output.sizes()));
  }
  if (from == to) return output;
  const Combination c = combination(from, to, level);
  return output * c.on_output + x_t * c.on_xt;
}

at::Tensor target(Prediction kind, const at::Tensor& x0, const at::Tensor& noise,
                  const at::Tensor& a, const at::Tensor& s) {
  switch (kind) {
    case Prediction::eps:
      return noise;
    case Prediction::x0:
      return x0;
    case Prediction::v:
      return a * noise - s * x0;
    case Prediction::edm:
      break;
  }
  throw ArgumentError("[target] expected eps, x0 or v, got " +
                      std::to_string(static_cast<int>(kind)));
}

}  // namespace tinta::process
