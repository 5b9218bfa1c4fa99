#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tinta/io/labelled_images.h"

namespace tinta::io {

/// CIFAR-10 and CIFAR-100: pictures of 3 x 32 x 32 bytes, R, G, B planes. Of CIFAR-100's two labels
/// the fine one (of 100) is read. Source: Krizhevsky 2009, "Learning multiple layers of features
/// from tiny images", and the description beside the files.
enum class Cifar { ten, hundred };

/// 10 or 100.
int classes_of(Cifar kind);

/// Bytes of a picture with its labels in the binary files: 3073 or 3074.
std::size_t record_bytes(Cifar kind);

/// Reads a batch of the binary version: any number of records, one label byte (CIFAR-100: coarse
/// label, fine label) and the picture.
/// @throws DataError with the byte offset: an empty file, one that ends within a record, a label
/// out
///         of range
LabelledImages parse_cifar_binary(std::span<const std::byte> bytes, Cifar kind,
                                  const std::string& path);

/// Reads a batch of the Python version without running any of it: see parse_pickle().
/// @throws DataError as parse_pickle() does, and on keys that are missing, sizes that differ, a
/// label
///         out of range
LabelledImages parse_cifar_pickle(std::span<const std::byte> bytes, Cifar kind,
                                  const std::string& path);

/// The names of the classes from batches.meta.txt or fine_label_names.txt: one a line.
/// @throws DataError when there are not as many as classes, or one is empty
std::vector<std::string> parse_cifar_names(std::string_view text, Cifar kind,
                                           const std::string& path);

/// The names of the classes from the Python version's batches.meta or meta.
/// @throws DataError as parse_pickle() and parse_cifar_names() do
std::vector<std::string> parse_cifar_meta(std::span<const std::byte> bytes, Cifar kind,
                                          const std::string& path);

}  // namespace tinta::io
