#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tinta/config/config.h"
#include "tinta/core/sink.h"

namespace tinta::data {

/// Validation is the share data.validation of a source's training pictures, chosen by what they
/// are, and left out of train.
enum class Split { train, validation, test };

/// @throws ArgumentError on a name other than "train", "validation" or "test"
Split split_from(const std::string& name);

/// "train", "validation" or "test".
std::string to_string(Split split);

/// How training turns pictures over: never, or half of them from left to right.
enum class Flip { never, half };

/// The order of training: a shuffle, or one in which each class comes equally often.
enum class Order { shuffled, balanced };

/// Pictures as bytes, in memory or in a mapped file. Immutable.
struct Dataset {
  std::string name{};
  at::Tensor images{};       ///< [N,C,H,W] uint8, contiguous, on the CPU
  at::Tensor labels{};       ///< [N] int64 in 0..classes-1; undefined when there are none
  std::int64_t classes = 0;  ///< 0 when there are no labels
  std::vector<std::string> class_names{};  ///< one for each class; empty where they are not known
  Flip flip = Flip::never;                 ///< what a Loader does
  Order order = Order::shuffled;           ///< likewise; balanced needs labels
  double augment = 0;     ///< likewise: probability of each augmentation (augment.h)
  bool streamed = false;  ///< too large for memory: a Loader asks ahead for pictures
  at::Tensor hashes{};  ///< [N] the bits of uint64, rising: what each picture is; may be undefined

  [[nodiscard]] std::int64_t size() const { return images.size(0); }
};

/// Checks what the comments of `images`, `labels` and `classes` say, and that there is at least one
/// picture.
/// @throws ArgumentError that names the data set and what is wrong
void require_valid(const Dataset& dataset);

/// Opens what a config names: built-in data are drawn, files are read.
///
/// - glyphs: `count` digits of side `size`; the test split has a tenth as many (10 at least), none
/// of
///   which occurs in any training split.
/// - condor: the one picture of side `size` is the whole of both splits; no labels.
/// - mnist: the IDX files of the folder `path`, or of its subfolder "mnist"; as many classes as the
///   largest label of the split tells.
/// - cifar10, cifar100: see data/cifar.h. arrays: see data/arrays.h. folder: see data/folder.h.
///
/// Of a source without a test split, test is the validation split.
///
/// @param stop asked while pictures are packed
/// @throws ArgumentError on an unknown source (nearest suggested) or a path that is no folder,
///         DataError / SystemError from files, Stopped
Dataset open(const config::DataConfig& config, Split split, const Sinks& sinks = {},
             const StopRequested& stop = {});

/// Pictures of given indices as the network wants them: byte / 127.5 - 1.
/// @param indices [B] int64 in 0..N-1, on the CPU
/// @return [B,C,H,W] float32 in [-1, 1], contiguous
/// @throws ArgumentError on another shape or dtype, or an index out of range
at::Tensor gather(const Dataset& dataset, const at::Tensor& indices);

/// The same, some of them mirrored left to right.
/// @param mirrored one for each index: 1 mirrors it, 0 does not
at::Tensor gather(const Dataset& dataset, const at::Tensor& indices,
                  std::span<const std::uint8_t> mirrored);

}  // namespace tinta::data
