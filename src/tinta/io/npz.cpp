#include "tinta/io/npz.h"

#include <ATen/ops/from_blob.h>

#include <string_view>
#include <utility>

#include "tinta/core/error.h"
#include "tinta/io/byte_reader.h"
#include "tinta/io/npy_header.h"
#include "tinta/io/tensor_bytes.h"
#include "tinta/io/zip.h"

namespace tinta::io {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::string_view kSuffix = ".npy";

using Mapping = std::shared_ptr<const MappedFile>;

// A view where there is a mapping to hold and the type has no alignment and no wrong values.
at::Tensor array_of(std::span<const std::byte> bytes, const std::string& path,
                    const Mapping& mapping) {
  ByteReader reader(bytes, path);
  if (reader.text(kMagic.size(), "npy magic") != kMagic) {
    throw DataError(path, "expected a npy file, got another magic", 0);
  }
  const auto version = reader.take(2, "npy version");
  if (version[0] != std::byte{1} || version[1] != std::byte{0}) {
    throw DataError(path,
                    "expected npy format 1.0, got " +
                        std::to_string(std::to_integer<int>(version[0])) + "." +
                        std::to_string(std::to_integer<int>(version[1])),
                    6);
  }
  const auto header_bytes = reader.little_endian<std::uint16_t>("npy header length");
  const std::uint64_t header_offset = reader.offset();
  const NpyHeader header =
      decode_npy_header(reader.text(header_bytes, "npy header"), path, header_offset);
  const auto promised = byte_count(header.shape, c10::elementSize(header.type));
  if (!promised || *promised != reader.remaining()) {
    reader.fail("expected " + (promised ? std::to_string(*promised) : "more than 2^63") +
                " bytes of data as the shape says, got " + std::to_string(reader.remaining()));
  }
  const std::uint64_t data_offset = reader.offset();
  const auto data = reader.take(*promised, "npy data");
  if (mapping && header.type == at::kByte && !data.empty()) {
    // at::from_blob() takes what may be written to; the header forbids it.
    return at::from_blob(
        const_cast<std::byte*>(data.data()), header.shape,
        [mapping](void*) { /* lets go of the mapping */ }, at::kByte);
  }
  return tensor_from_bytes(data, header.shape, header.type, path, data_offset);
}

std::map<std::string, at::Tensor> arrays_of(std::span<const std::byte> bytes,
                                            const std::string& path, const Mapping& mapping) {
  std::map<std::string, at::Tensor> arrays;
  for (const ZipMember& member : read_zip_directory(bytes, path)) {
    if (!member.name.ends_with(kSuffix) || member.name.size() == kSuffix.size()) {
      throw DataError(path, "expected members named *.npy, got " + shown(member.name),
                      member.packed_offset);
    }
    const std::string name = member.name.substr(0, member.name.size() - kSuffix.size());
    const std::string member_path = path + "(" + shown(member.name) + ")";
    const bool in_place = mapping && !member.deflated;
    const at::Tensor array = in_place ? array_of(stored_content(member, path), member_path, mapping)
                                      : array_of(unpack(member, path), member_path, nullptr);
    if (!arrays.emplace(name, array).second) {
      throw DataError(path, "expected each array once, got " + shown(name) + " twice",
                      member.packed_offset);
    }
  }
  return arrays;
}

}  // namespace

std::vector<std::byte> encode_npy(const at::Tensor& array) {
  if (!array.defined()) throw ArgumentError("[encode_npy] expected a tensor, got an undefined one");
  const at::Tensor plain = array.detach().cpu().contiguous();
  const std::string header = encode_npy_header(plain.scalar_type(), plain.sizes());
  std::vector<std::byte> out;
  out.reserve(kMagic.size() + 4 + header.size() + plain.nbytes());
  append(out, kMagic);
  append(out, std::string_view("\x01\x00", 2));
  append_little_endian(out, static_cast<std::uint16_t>(header.size()));
  append(out, header);
  append(out, bytes_of(plain));
  return out;
}

std::vector<std::byte> encode_npz(const std::map<std::string, at::Tensor>& arrays) {
  ZipWriter writer;
  for (const auto& [name, array] : arrays) {
    if (name.empty()) throw ArgumentError("[encode_npz] expected a name, got an empty one");
    writer.add(name + std::string(kSuffix), encode_npy(array));
  }
  return writer.finish();
}

at::Tensor decode_npy(std::span<const std::byte> bytes, const std::string& path) {
  return array_of(bytes, path, nullptr);
}

std::map<std::string, at::Tensor> decode_npz(std::span<const std::byte> bytes,
                                             const std::string& path) {
  return arrays_of(bytes, path, nullptr);
}

at::Tensor map_npy(const Mapping& file, const std::string& path) {
  return array_of(file->bytes(), path, file);
}

std::map<std::string, at::Tensor> map_npz(const Mapping& file, const std::string& path) {
  return arrays_of(file->bytes(), path, file);
}

}  // namespace tinta::io
