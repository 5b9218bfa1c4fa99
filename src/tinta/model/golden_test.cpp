#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/model/time_embedding.h"
#include "tinta/model/unet.h"

// Golden values: tests/golden/make_model_golden.py, diffusers 0.42.1 with torch 2.13.0, in double.
// Weights and inputs are not stored but made up from their names, by both sides alike.

namespace tinta::model {
namespace {

using nlohmann::json;

std::string golden_text(const std::string& name) {
  return read_text(std::string(TINTA_SOURCE_DIR) + "/tests/golden/model/" + name);
}

const json& networks() {
  static const json cases = json::parse(golden_text("networks.json")).at("cases");
  return cases;
}

// FNV-1a.
std::uint64_t hash_of(const std::string& name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

// Multiples of 2^-17 in [-1/4, 1/4), by SplitMix64 from the name's hash; double.
at::Tensor made_up(const std::string& name, at::IntArrayRef sizes) {
  at::Tensor out = at::empty(sizes, at::kDouble);
  auto* values = out.mutable_data_ptr<double>();
  std::uint64_t state = hash_of(name);
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    values[i] = (static_cast<double>(z >> 48) - 32768) / 131072;
  }
  return out;
}

bool is_norm_weight(const std::string& name) {
  return name.find("norm") != std::string::npos && name.ends_with(".weight");
}

// "model.channels=8"
std::string assignment(const std::string& key, const json& value) {
  return "model." + key + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
}

std::shared_ptr<UNet> network_of(const json& entry, at::ScalarType dtype) {
  config::RunConfig config;
  for (const auto& [key, value] : entry.at("config").items()) {
    config::set(config, assignment(key, value));
  }
  auto net = std::make_shared<UNet>(config.model);
  for (const auto& [name, parameter] : net->named_parameters()) {
    const at::Tensor values = made_up(name, parameter.sizes()) + (is_norm_weight(name) ? 1 : 0);
    parameter.detach().copy_(values);
  }
  net->to(dtype);
  return net;
}

at::Tensor output_of(UNet& net, const json& entry, at::ScalarType dtype) {
  const auto labels = entry.at("labels").get<std::vector<std::int64_t>>();
  const at::Tensor x = 8 * made_up("x", entry.at("shape").get<std::vector<std::int64_t>>());
  return net.forward(x.to(dtype), at::tensor(entry.at("time").get<std::vector<float>>()),
                     labels.empty() ? at::Tensor() : at::tensor(labels), {});
}

// Greatest difference from the golden numbers, in units of the greatest of them.
double difference(const at::Tensor& got, const json& golden) {
  const at::Tensor wanted = at::tensor(golden.get<std::vector<double>>(), at::kDouble);
  return ((got.detach().to(at::kDouble).flatten() - wanted).abs().max() / wanted.abs().max())
      .item<double>();
}

struct Precision {
  std::string name;
  at::ScalarType dtype;
  double tolerance;
};
std::ostream& operator<<(std::ostream& out, const Precision& precision) {
  return out << precision.name;
}

// In double a few ulp, which the norms of a dozen layers magnify; in float32, where our own kernels
// compute, the same.
class AgainstDiffusers : public testing::TestWithParam<Precision> {};
INSTANTIATE_TEST_SUITE_P(Precisions, AgainstDiffusers,
                         testing::Values(Precision{"Double", at::kDouble, 1e-10},
                                         Precision{"Float", at::kFloat, 1e-5}),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(AgainstDiffusers, OutputsAreTheSame) {
  const auto& [name, dtype, tolerance] = GetParam();
  ASSERT_GE(networks().size(), 7U);
  for (const json& entry : networks()) {
    const at::Tensor out = output_of(*network_of(entry, dtype), entry, dtype);
    EXPECT_LT(difference(out, entry.at("output")), tolerance) << entry.at("name");
  }
}

// Every parameter's gradient along a made-up direction, and some gradients in full.
TEST_P(AgainstDiffusers, GradientsAreTheSame) {
  const auto& [name, dtype, tolerance] = GetParam();
  const auto entry =
      std::ranges::find_if(networks(), [](const json& c) { return c.contains("gradients"); });
  ASSERT_NE(entry, networks().end());
  const auto net = network_of(*entry, dtype);
  const at::Tensor out = output_of(*net, *entry, dtype);
  (out * (8 * made_up("dy", out.sizes())).to(dtype)).sum().backward();
  const json& slopes = entry->at("gradients").at("slopes");
  const json& full = entry->at("gradients").at("full");
  EXPECT_EQ(slopes.size(), net->named_parameters().size());
  for (const auto& [key, parameter] : net->named_parameters()) {
    const at::Tensor gradient = parameter.grad().to(at::kDouble);
    const at::Tensor direction = made_up("direction of " + key, parameter.sizes());
    const double scale = 1 + (gradient.norm() * direction.norm()).item<double>();
    EXPECT_NEAR((gradient * direction).sum().item<double>(), slopes.at(key).get<double>(),
                tolerance * scale)
        << key;
    if (full.contains(key)) {
      EXPECT_LT(difference(gradient, full.at(key)), tolerance) << key;
    }
  }
}

// "NAME SIZES" of every parameter, sorted.
std::string parameter_list(UNet& net) {
  std::vector<std::string> lines;
  for (const auto& [name, parameter] : net.named_parameters()) {
    std::string line = name;
    for (const std::int64_t size : parameter.sizes()) {
      line.append(1, ' ').append(std::to_string(size));
    }
    lines.push_back(line + "\n");
  }
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

TEST(ParameterNames, OfThePresetsAreThoseOfDiffusers) {
  for (const char* preset : {"cifar10-ddpm", "mnist-bench"}) {
    UNet net(config::preset(preset).model);
    EXPECT_EQ(parameter_list(net), golden_text(std::string(preset) + ".txt")) << preset;
  }
}

// Both sides compute in double and round to float32 once: at most its last digit differs.
TEST(Sinusoidal, FeaturesAreThoseOfDiffusers) {
  const json cases = json::parse(golden_text("embeddings.json")).at("cases");
  ASSERT_GE(cases.size(), 24U);
  for (const json& entry : cases) {
    const SinusoidalOptions options{
        .dim = entry.at("dim"),
        .order = entry.at("order") == "sin-cos" ? TimeOrder::sin_cos : TimeOrder::cos_sin,
        .frequency_shift = entry.at("frequency_shift")};
    const at::Tensor features =
        sinusoidal(at::tensor(entry.at("time").get<std::vector<float>>()), options);
    EXPECT_EQ(features.size(1), options.dim);
    EXPECT_LT(difference(features, entry.at("features")), 1.2e-7) << entry;
  }
}

}  // namespace
}  // namespace tinta::model
