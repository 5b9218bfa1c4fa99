#include "tinta/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/strict_json.h"
#include "tinta/io/tensor_bytes.h"

namespace tinta::io {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 3;  // header, entry, shape
constexpr std::size_t kMaxRank = 64;  // NumPy's

struct DtypeName {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<DtypeName, 10> kDtypes{{{"F64", at::kDouble},
                                             {"F32", at::kFloat},
                                             {"F16", at::kHalf},
                                             {"BF16", at::kBFloat16},
                                             {"I64", at::kLong},
                                             {"I32", at::kInt},
                                             {"I16", at::kShort},
                                             {"I8", at::kChar},
                                             {"U8", at::kByte},
                                             {"BOOL", at::kBool}}};

// Turns the JSON header into entries; every error names the header's offset in the file.
class HeaderReader {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  std::vector<SafetensorsEntry> read(const json& header,
                                     std::map<std::string, std::string>& metadata) const {
    if (!header.is_object()) fail("a JSON object", "another JSON value");
    std::vector<SafetensorsEntry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadataKey) {
        read_metadata(value, metadata);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
                       return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                     });
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const {
    throw DataError(path_, "expected " + expected + " in the header, got " + got, 8);
  }

  void read_metadata(const json& value, std::map<std::string, std::string>& metadata) const {
    if (!value.is_object()) fail("__metadata__ as an object", "another JSON value");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("text for metadata " + shown(key), "another JSON value");
      metadata.emplace(key, text.get<std::string>());
    }
  }

  [[nodiscard]] SafetensorsEntry read_entry(const std::string& name, const json& value) const {
    const std::string of = " for tensor " + shown(name);
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
        !value.contains("shape") || !value.contains("data_offsets")) {
      fail("exactly dtype, shape and data_offsets" + of, "something else");
    }
    SafetensorsEntry entry{.name = name, .type = at::kFloat, .shape = {}};
    const json& dtype = value["dtype"];
    const auto* known =
        std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeName& candidate) {
          return dtype.is_string() && dtype.get_ref<const std::string&>() == candidate.name;
        });
    if (known == kDtypes.end()) {
      fail("a known dtype" + of,
           dtype.is_string() ? shown(dtype.get_ref<const std::string&>()) : "another JSON value");
    }
    entry.type = known->type;
    for (const std::uint64_t size : unsigned_list(value["shape"], "shape" + of)) {
      entry.shape.push_back(static_cast<std::int64_t>(size));
    }
    if (entry.shape.size() > kMaxRank) {
      fail("at most 64 dimensions" + of, std::to_string(entry.shape.size()));
    }
    const auto offsets = unsigned_list(value["data_offsets"], "data_offsets" + of);
    if (offsets.size() != 2) fail("two data_offsets" + of, std::to_string(offsets.size()));
    entry.begin = offsets[0];
    entry.end = offsets[1];
    return entry;
  }

  [[nodiscard]] std::vector<std::uint64_t> unsigned_list(const json& value,
                                                         const std::string& what) const {
    if (!value.is_array()) fail("a list as " + what, "another JSON value");
    std::vector<std::uint64_t> numbers;
    numbers.reserve(value.size());
    for (const json& element : value) {
      if (!element.is_number_unsigned()) fail("whole numbers from 0 in " + what, "another value");
      numbers.push_back(element.get<std::uint64_t>());
    }
    return numbers;
  }

  const std::string& path_;
};

}  // namespace

std::string_view safetensors_dtype(at::ScalarType type, const std::string& tensor) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeName& known) { return known.type == type; });
  if (found == kDtypes.end()) {
    throw ArgumentError("[encode_safetensors] expected a dtype of the format for " + shown(tensor) +
                        ", got " + c10::toString(type));
  }
  return found->name;
}

std::vector<SafetensorsEntry> read_safetensors_header(
    std::string_view text, const std::string& path, std::map<std::string, std::string>& metadata) {
  return HeaderReader(path).read(parse_strict_json(text, path, 8, kMaxDepth), metadata);
}

void check_safetensors_layout(const std::vector<SafetensorsEntry>& entries,
                              std::uint64_t data_bytes, std::uint64_t data_offset,
                              const std::string& path) {
  std::uint64_t expected = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string of = " for tensor " + shown(entry.name);
    if (entry.begin != expected) {
      throw DataError(path,
                      "expected data to begin at " + std::to_string(expected) + of + ", got " +
                          std::to_string(entry.begin),
                      data_offset + expected);
    }
    const auto bytes = byte_count(entry.shape, c10::elementSize(entry.type));
    if (!bytes || entry.end < entry.begin || entry.end - entry.begin != *bytes) {
      throw DataError(path,
                      "expected data_offsets that match dtype and shape" + of + ", got " +
                          std::to_string(entry.begin) + " to " + std::to_string(entry.end),
                      data_offset + expected);
    }
    if (entry.end > data_bytes) {
      throw DataError(path,
                      "expected data up to " + std::to_string(entry.end) + of +
                          ", got a file that ends at " + std::to_string(data_bytes),
                      data_offset + data_bytes);
    }
    expected = entry.end;
  }
  if (expected != data_bytes) {
    throw DataError(path,
                    "expected the file to end after the last tensor, got " +
                        std::to_string(data_bytes - expected) + " more bytes",
                    data_offset + expected);
  }
}

}  // namespace tinta::io
