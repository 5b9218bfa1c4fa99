#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tinta/core/sink.h"
#include "tinta/data/dataset.h"
#include "tinta/experiment/machine.h"
#include "tinta/model/classifier.h"
#include "tinta/training/state.h"

namespace tinta::experiment {

/// How a classifier is to be trained.
struct ClassifierTask {
  const data::Dataset& train;   ///< with labels of at least 2 classes; its `flip` says whether the
                                ///< mirror image of a picture is of its class
  std::int64_t features = 32;   ///< model::ClassifierConfig::features
  std::int64_t batch = 0;       ///< pictures a step; 0: chosen_batch()
  double learning_rate = 3e-3;  ///< AdamW's greatest
  std::int64_t epochs = 10;     ///< over the pictures, at least 1
  std::optional<double> minutes{};  ///< ends training sooner; the rate falls to zero by then
  std::uint64_t seed = 0;
  Compute compute{};
};

/// What training gave.
struct ClassifierFit {
  std::shared_ptr<model::Classifier>
      network;                     ///< where and as task.compute says, ready to be asked
  training::NamedTensors weights;  ///< in float32, on the CPU
  double epochs = 0;               ///< that were done
  double seconds = 0;
};

/// Pictures a step for a set of that size: 128, fewer where an epoch would have less than 64 steps,
/// but 8 at least, or all of them.
std::int64_t chosen_batch(std::int64_t pictures);

/// Learning rate at a share `done` of training, as a share of the greatest: up in a straight line
/// over the first fifth, down to zero over the rest ("one cycle": Smith and Topin 2018,
/// arXiv:1708.07120, with a single descent).
double one_cycle(double done);

/// Trains by cross entropy with smoothed labels (0.1; Szegedy et al. 2016, arXiv:1512.00567, sect.
/// 7) on pictures that are moved (data/shift.h), and mirrored where the data say so. Without
/// `minutes` it is a function of its task.
/// @return network null when `stop` answered true
/// @throws ArgumentError on data without classes, NonFiniteError naming the step
ClassifierFit train_classifier(const ClassifierTask& task, const Sinks& sinks,
                               const StopRequested& stop);

/// The class that a classifier names for each picture.
/// @param pictures [N,C,H,W] uint8, of the classifier's sizes @return [N] int64, on the CPU
at::Tensor classify(model::Classifier& network, const at::Tensor& pictures, const Compute& compute);

/// SHA-256 of a set's pictures and labels.
std::string sha256_of(const data::Dataset& dataset);

}  // namespace tinta::experiment
