#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tinta/core/file.h"
#include "tinta/model/classifier.h"
#include "tinta/training/state.h"

// A trained classifier is one safetensors file: its weights in float32, and as free text
//   format   "tinta-classifier 1"
//   config   what it is and how it came about, as JSON
//   sha256   of the file without this line, so that damage is noticed
// It is written in one piece (core/file.h), like everything that takes long to make.

namespace tinta::experiment {

/// How a classifier came about, and how good it is.
struct ClassifierRecord {
  std::vector<std::string> class_names{};  ///< one for each class; empty where they are not known
  std::string data{};                      ///< the pictures' source, "cifar10"
  std::string data_sha256{};               ///< of the training pictures and their labels
  double test_accuracy = 0;                ///< share of the test split that it recognises
  std::int64_t test_pictures = 0;          ///< pictures in that split
  double epochs = 0;                       ///< over the training pictures
  double seconds = 0;                      ///< that training took
  std::uint64_t seed = 0;

  friend bool operator==(const ClassifierRecord&, const ClassifierRecord&) = default;
};

/// A classifier from a file. Its weights are float32 on the CPU until place() moves it.
struct LoadedClassifier {
  std::shared_ptr<model::Classifier> network;
  ClassifierRecord record;
};

/// Writes a classifier. @param weights float32, by the names of Classifier::weights()
/// @throws ArgumentError where the file exists and may not be replaced, SystemError
void write_classifier(const std::filesystem::path& path, const model::ClassifierConfig& config,
                      const ClassifierRecord& record, const training::NamedTensors& weights,
                      Existing existing);

/// Reads one, strictly: every key and every tensor must be there, no other, each of its type and
/// shape, and the hash must be right.
/// @throws SystemError where it cannot be read, DataError naming what was expected
LoadedClassifier read_classifier(const std::filesystem::path& path);

}  // namespace tinta::experiment
