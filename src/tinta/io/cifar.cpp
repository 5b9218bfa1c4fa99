#include "tinta/io/cifar.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/pickle.h"

namespace tinta::io {
namespace {

using Kind = PickleValue::Kind;

constexpr std::int64_t kSide = 32;
constexpr std::int64_t kPictureBytes = 3 * kSide * kSide;

LabelledImages room_for(std::int64_t count) {
  return {.images = at::empty({count, 3, kSide, kSide}, at::kByte),
          .labels = at::empty({count}, at::kLong)};
}

void check_label(std::int64_t label, Cifar kind, const std::string& path, std::uint64_t offset) {
  if (label >= 0 && label < classes_of(kind)) return;
  throw DataError(path,
                  "expected a label from 0 to " + std::to_string(classes_of(kind) - 1) + ", got " +
                      std::to_string(label),
                  offset);
}

void check_names(const std::vector<std::string>& names, Cifar kind, const std::string& path) {
  const auto classes = static_cast<std::size_t>(classes_of(kind));
  if (names.size() != classes) {
    throw DataError(path, "expected the names of " + std::to_string(classes) + " classes, got " +
                              std::to_string(names.size()));
  }
  if (std::ranges::any_of(names, &std::string::empty)) {
    throw DataError(path, "expected a name for each class, got an empty one");
  }
}

// The value of a key that the whole pickle, a dictionary, must have.
const PickleValue& value_at(const PickleValue& root, std::string_view key, Kind kind,
                            const std::string& path) {
  if (root.kind != Kind::dictionary) {
    throw DataError(path, "expected a dictionary, got " + std::string(name_of(root.kind)),
                    root.offset);
  }
  for (std::size_t i = 0; i < root.items.size(); i += 2) {
    if (root.items[i].text != key) continue;
    const PickleValue& value = root.items[i + 1];
    if (value.kind == kind) return value;
    throw DataError(path,
                    "expected " + std::string(name_of(kind)) + " of the key " + shown(key) +
                        ", got " + std::string(name_of(value.kind)),
                    value.offset);
  }
  throw DataError(path, "expected the key " + shown(key) + ", got none");
}

const char* labels_key(Cifar kind) { return kind == Cifar::ten ? "labels" : "fine_labels"; }
const char* names_key(Cifar kind) {
  return kind == Cifar::ten ? "label_names" : "fine_label_names";
}

}  // namespace

int classes_of(Cifar kind) { return kind == Cifar::ten ? 10 : 100; }

std::size_t record_bytes(Cifar kind) {
  return static_cast<std::size_t>(kPictureBytes) + (kind == Cifar::ten ? 1 : 2);
}

LabelledImages parse_cifar_binary(std::span<const std::byte> bytes, Cifar kind,
                                  const std::string& path) {
  const std::size_t record = record_bytes(kind), label_at = record - kPictureBytes - 1;
  if (bytes.empty() || bytes.size() % record != 0) {
    throw DataError(path,
                    "expected records of " + std::to_string(record) + " bytes, got " +
                        std::to_string(bytes.size() % record) + " of the last one",
                    bytes.size() - bytes.size() % record);
  }
  const auto count = static_cast<std::int64_t>(bytes.size() / record);
  LabelledImages batch = room_for(count);
  auto* const pixels = batch.images.mutable_data_ptr<std::uint8_t>();
  auto* const labels = batch.labels.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t at = static_cast<std::size_t>(i) * record;
    labels[i] = std::to_integer<std::int64_t>(bytes[at + label_at]);
    check_label(labels[i], kind, path, at + label_at);
    std::memcpy(pixels + i * kPictureBytes, bytes.data() + at + label_at + 1, kPictureBytes);
  }
  return batch;
}

LabelledImages parse_cifar_pickle(std::span<const std::byte> bytes, Cifar kind,
                                  const std::string& path) {
  const PickleValue root = parse_pickle(bytes, path);
  const PickleValue& data = value_at(root, "data", Kind::bytes_array, path);
  const PickleValue& labels = value_at(root, labels_key(kind), Kind::list, path);
  if (data.shape.size() != 2 || data.shape[0] < 1 || data.shape[1] != kPictureBytes) {
    throw DataError(path, "expected pictures of 3072 bytes each, got an array of another shape",
                    data.offset);
  }
  const std::int64_t count = data.shape[0];
  if (labels.items.size() != static_cast<std::size_t>(count)) {
    throw DataError(path,
                    "expected a label for each of " + std::to_string(count) + " pictures, got " +
                        std::to_string(labels.items.size()),
                    labels.offset);
  }
  LabelledImages batch = room_for(count);
  auto* const out = batch.labels.mutable_data_ptr<std::int64_t>();
  for (const PickleValue& label : labels.items) {
    if (label.kind != Kind::integer) {
      throw DataError(path, "expected labels, got " + std::string(name_of(label.kind)),
                      label.offset);
    }
    check_label(label.integer, kind, path, label.offset);
    out[&label - labels.items.data()] = label.integer;
  }
  if (data.integer == 0) {
    std::memcpy(batch.images.mutable_data_ptr(), data.text.data(), data.text.size());
  } else {
    // from_blob takes no const pointer; the tensor is only read.
    auto* const content = const_cast<char*>(data.text.data());
    batch.images.copy_(at::from_blob(content, {kPictureBytes, count}, at::kByte)
                           .t()
                           .reshape({count, 3, kSide, kSide}));
  }
  return batch;
}

std::vector<std::string> parse_cifar_names(std::string_view text, Cifar kind,
                                           const std::string& path) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    names.emplace_back(text.substr(0, end));
    if (names.back().ends_with('\r')) names.back().pop_back();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  // The originals end in an empty line.
  while (!names.empty() && names.back().empty()) names.pop_back();
  check_names(names, kind, path);
  return names;
}

std::vector<std::string> parse_cifar_meta(std::span<const std::byte> bytes, Cifar kind,
                                          const std::string& path) {
  const PickleValue root = parse_pickle(bytes, path);
  std::vector<std::string> names;
  for (const PickleValue& name : value_at(root, names_key(kind), Kind::list, path).items) {
    if (name.kind != Kind::text) {
      throw DataError(path, "expected names, got " + std::string(name_of(name.kind)), name.offset);
    }
    names.emplace_back(name.text);
  }
  check_names(names, kind, path);
  return names;
}

}  // namespace tinta::io
