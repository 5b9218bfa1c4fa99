#pragma once

#include <filesystem>
#include <vector>

#include "tinta/data/dataset.h"
#include "tinta/io/cifar.h"

// CIFAR-10 and CIFAR-100 as their authors distribute them, unpacked or not:
//
//   cifar-10-batches-bin/   data_batch_1.bin ... data_batch_5.bin, test_batch.bin, batches.meta.txt
//   cifar-10-batches-py/    data_batch_1 ... data_batch_5, test_batch, batches.meta
//   cifar-100-binary/       train.bin, test.bin, fine_label_names.txt
//   cifar-100-python/       train, test, meta
//   cifar-10-binary.tar.gz  and the like, which hold those folders
//
// A path is one of these, the folder above it, or one .bin file, which is then the training split.

namespace tinta::data {

/// Whether a file or folder holds data of this kind.
bool holds_cifar(const std::filesystem::path& path, io::Cifar kind);

/// The splits that are there; of an archive both, as its content is not looked at.
std::vector<Split> cifar_splits(const std::filesystem::path& path, io::Cifar kind);

/// @throws DataError where a batch is missing or not whole, as io::parse_cifar_binary() and
///         io::parse_cifar_pickle() do
Dataset open_cifar(const std::filesystem::path& path, Split split, io::Cifar kind);

}  // namespace tinta::data
