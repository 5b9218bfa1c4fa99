#include "tinta/io/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "tinta/core/error.h"
#include "tinta/core/text.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/safetensors_header.h"
#include "tinta/io/tensor_bytes.h"

namespace tinta::io {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit
std::string json_string(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    throw ArgumentError("[encode_safetensors] expected UTF-8 text, got " + shown(text));
  }
}

std::string encode_header(const TensorFile& file, const std::vector<at::Tensor>& tensors) {
  std::string header = "{";
  const auto next = [&] {
    if (header.size() > 1) header += ',';
  };
  if (!file.metadata.empty()) {
    header += json_string(kMetadataKey) + ":{";
    for (const auto& [key, text] : file.metadata) {
      if (header.back() != '{') header += ',';
      header += json_string(key) + ":" + json_string(text);
    }
    header += '}';
  }
  std::set<std::string> names{kMetadataKey};
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = file.tensors[i].first;
    if (!names.insert(name).second) {
      throw ArgumentError("[encode_safetensors] expected distinct names other than " +
                          kMetadataKey + ", got " + shown(name));
    }
    next();
    header += json_string(name) + ":{\"dtype\":\"";
    header += safetensors_dtype(tensors[i].scalar_type(), name);
    header += "\",\"shape\":" + json(tensors[i].sizes().vec()).dump();
    header += ",\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += tensors[i].nbytes();
    header += std::to_string(offset) + "]}";
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

}  // namespace

const at::Tensor& TensorFile::at(const std::string& name) const {
  for (const auto& [known, tensor] : tensors) {
    if (known == name) return tensor;
  }
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const auto& entry : tensors) names.push_back(entry.first);
  const std::string near = nearest(name, names);
  throw ArgumentError("[TensorFile] expected a tensor that the file has, got " + shown(name) +
                      (near.empty() ? "" : ": did you mean \"" + near + "\"?"));
}

std::vector<std::byte> encode_safetensors(const TensorFile& file) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(file.tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    if (!tensor.defined()) {
      throw ArgumentError("[encode_safetensors] expected a tensor for " + shown(name) +
                          ", got an undefined one");
    }
    tensors.push_back(tensor.detach().cpu().contiguous());
  }
  const std::string header = encode_header(file, tensors);
  std::vector<std::byte> out;
  std::size_t total = 8 + header.size();
  for (const at::Tensor& tensor : tensors) total += tensor.nbytes();
  out.reserve(total);
  append_little_endian(out, std::uint64_t{header.size()});
  append(out, header);
  for (const at::Tensor& tensor : tensors) {
    append(out, bytes_of(tensor));
  }
  return out;
}

TensorFile decode_safetensors(std::span<const std::byte> bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  const auto header_bytes = reader.little_endian<std::uint64_t>("safetensors header size");
  if (header_bytes > std::min<std::uint64_t>(reader.remaining(), kMaxHeader)) {
    throw DataError(path,
                    "expected a header within the file and under 100 MB, got " +
                        std::to_string(header_bytes) + " bytes",
                    0);
  }
  const std::string_view text = reader.text(header_bytes, "safetensors header");
  if (!text.starts_with('{')) throw DataError(path, "expected '{', got another byte", 8);

  TensorFile file;
  const std::uint64_t data_offset = reader.offset();
  const auto data = reader.take(reader.remaining(), "data");
  const auto entries = read_safetensors_header(text, path, file.metadata);
  check_safetensors_layout(entries, data.size(), data_offset, path);
  for (const SafetensorsEntry& entry : entries) {
    const auto part = data.subspan(entry.begin, entry.end - entry.begin);
    file.tensors.emplace_back(entry.name, tensor_from_bytes(part, entry.shape, entry.type, path,
                                                            data_offset + entry.begin));
  }
  return file;
}

}  // namespace tinta::io
