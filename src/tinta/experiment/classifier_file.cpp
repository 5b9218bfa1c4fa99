#include "tinta/experiment/classifier_file.h"

#include <ATen/ATen.h>
#include <c10/util/StringUtil.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/core/sha256.h"
#include "tinta/core/text.h"
#include "tinta/io/safetensors.h"
#include "tinta/io/strict_json.h"

namespace tinta::experiment {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr const char* kFormat = "tinta-classifier 1";

// Calls f(key, member) for everything that the JSON says: writing and reading go through it.
template <class Config, class Record, class F>
void visit_fields(Config& config, Record& record, F&& f) {
  f("channels", config.channels), f("height", config.height), f("width", config.width),
      f("classes", config.classes), f("features", config.features), f("mean", config.mean),
      f("deviation", config.deviation), f("mirrored", config.mirrored),
      f("class_names", record.class_names), f("data", record.data),
      f("data_sha256", record.data_sha256), f("test_accuracy", record.test_accuracy),
      f("test_pictures", record.test_pictures), f("epochs", record.epochs),
      f("seconds", record.seconds), f("seed", record.seed);
}

bool is_a(const json& value, const std::vector<std::string>* /*like*/) {
  if (!value.is_array()) return false;
  for (const json& each : value) {
    if (!each.is_string()) return false;
  }
  return true;
}
bool is_a(const json& value, const std::vector<double>* /*like*/) {
  if (!value.is_array()) return false;
  for (const json& each : value) {
    if (!each.is_number()) return false;
  }
  return true;
}
bool is_a(const json& value, const std::string* /*like*/) { return value.is_string(); }
bool is_a(const json& value, const bool* /*like*/) { return value.is_boolean(); }
bool is_a(const json& value, const double* /*like*/) { return value.is_number(); }
bool is_a(const json& value, const std::int64_t* /*like*/) { return value.is_number_integer(); }
bool is_a(const json& value, const std::uint64_t* /*like*/) { return value.is_number_unsigned(); }

// The value of the file's free text under a key, taken out of it.
std::string taken(std::map<std::string, std::string>& metadata, const std::string& key,
                  const fs::path& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) {
    throw DataError(path.string(),
                    "expected a classifier that tinta classifier train wrote, got a file of "
                    "tensors without the text \"" +
                        key + "\"");
  }
  std::string value = std::move(found->second);
  metadata.erase(found);
  return value;
}

void require_intact(const io::TensorFile& without_hash, const std::string& hash,
                    const fs::path& path) {
  const std::string found = sha256(io::encode_safetensors(without_hash));
  if (found != hash) {
    throw DataError(path.string(), "expected content of SHA-256 " + hash + ", got " + found +
                                       ": the file is damaged");
  }
}

std::pair<model::ClassifierConfig, ClassifierRecord> parse_config(const std::string& text,
                                                                  const fs::path& path) {
  json all = io::parse_strict_json(text, path.string(), 0, 3);
  if (!all.is_object()) throw DataError(path.string(), "expected a config that is a JSON object");
  std::pair<model::ClassifierConfig, ClassifierRecord> parsed;
  visit_fields(parsed.first, parsed.second, [&](const char* key, auto& member) {
    const auto found = all.find(key);
    if (found == all.end() || !is_a(*found, &member)) {
      throw DataError(path.string(), std::string("key ") + key +
                                         " of its config: expected a value, got " +
                                         (found == all.end() ? "none" : "one of another type"));
    }
    found->get_to(member);
    all.erase(found);
  });
  if (!all.empty()) {
    throw DataError(path.string(),
                    "expected no other key in its config, got \"" + all.begin().key() + "\"");
  }
  std::vector<std::string> problems = parsed.first.problems();
  const auto names = static_cast<std::int64_t>(parsed.second.class_names.size());
  if (names != 0 && names != parsed.first.classes) {
    problems.push_back("class_names: expected " + std::to_string(parsed.first.classes) +
                       " or none, got " + std::to_string(names));
  }
  if (!problems.empty()) throw DataError(path.string(), join(problems, "; "));
  return parsed;
}

void fill(model::Classifier& network, const io::TensorFile& file, const fs::path& path) {
  std::map<std::string, at::Tensor> given(file.tensors.begin(), file.tensors.end());
  for (const auto& [name, weight] : network.weights()) {
    const auto found = given.find(name);
    if (found == given.end()) {
      throw DataError(path.string(), "expected a tensor \"" + name + "\", got none");
    }
    if (found->second.sizes() != weight.sizes() || found->second.scalar_type() != at::kFloat) {
      throw DataError(path.string(),
                      c10::str("tensor \"", name, "\": expected Float ", weight.sizes(), ", got ",
                               found->second.scalar_type(), " ", found->second.sizes()));
    }
    weight.detach().copy_(found->second);
    given.erase(found);
  }
  if (!given.empty()) {
    throw DataError(path.string(),
                    "expected no other tensor, got \"" + given.begin()->first + "\"");
  }
}

}  // namespace

void write_classifier(const fs::path& path, const model::ClassifierConfig& config,
                      const ClassifierRecord& record, const training::NamedTensors& weights,
                      Existing existing) {
  nlohmann::ordered_json all;
  visit_fields(config, record, [&](const char* key, const auto& member) { all[key] = member; });
  io::TensorFile file{
      .tensors = weights,
      .metadata = {{"format", kFormat},
                   {"config", all.dump(-1, ' ', false, json::error_handler_t::replace)}}};
  file.metadata["sha256"] = sha256(io::encode_safetensors(file));
  write_file(path, io::encode_safetensors(file), existing);
}

LoadedClassifier read_classifier(const fs::path& path) {
  io::TensorFile file = io::decode_safetensors(read_bytes(path), path.string());
  const std::string format = file.metadata.contains("format") ? file.metadata.at("format") : "";
  if (format != kFormat) {
    throw DataError(
        path.string(),
        std::string("expected a classifier that tinta classifier train wrote (format ") + kFormat +
            "), got " + (format.empty() ? "tensors of no such format" : "format " + format));
  }
  const std::string hash = taken(file.metadata, "sha256", path);
  require_intact(file, hash, path);
  const auto [config, record] = parse_config(taken(file.metadata, "config", path), path);
  LoadedClassifier loaded{.network = std::make_shared<model::Classifier>(config), .record = record};
  fill(*loaded.network, file, path);
  return loaded;
}

}  // namespace tinta::experiment
