#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tinta/core/mapped_file.h"

namespace tinta::io {

/// NumPy's array files: .npy (format 1.0, C order, little-endian) and .npz (a zip of them,
/// deflated, fixed time stamps so that equal arrays give equal bytes). dtypes: uint8, int32, int64,
/// float32, float64, bool.  Source: numpy.lib.format.
/// @throws ArgumentError on a dtype that NumPy lacks (bfloat16)
std::vector<std::byte> encode_npy(const at::Tensor& array);
std::vector<std::byte> encode_npz(const std::map<std::string, at::Tensor>& arrays);

/// Offsets in errors count from the member's start where the path is followed by its name.
/// @throws DataError with the byte offset on anything that is not a well-formed file of these
///         dtypes: Fortran order, big-endian, objects (pickles are never read), sizes that lie,
///         wrong CRC, zip64, encrypted or unknown compression, a name twice
at::Tensor decode_npy(std::span<const std::byte> bytes, const std::string& path);
std::map<std::string, at::Tensor> decode_npz(std::span<const std::byte> bytes,
                                             const std::string& path);

/// The same of a mapped file. An array of uint8 that lies in it as it is (in a .npy, or in a .npz
/// undeflated) becomes a view that holds the mapping and must not be written to; others are copies.
at::Tensor map_npy(const std::shared_ptr<const MappedFile>& file, const std::string& path);
std::map<std::string, at::Tensor> map_npz(const std::shared_ptr<const MappedFile>& file,
                                          const std::string& path);

}  // namespace tinta::io
