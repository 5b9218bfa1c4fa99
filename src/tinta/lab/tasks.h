#pragma once

#include <ATen/core/Tensor.h>

#include "tinta/lab/classifier.h"
#include "tinta/lab/digits_model.h"
#include "tinta/lab/row.h"

namespace tinta::lab {

/// How a task went: its part of the row's result and one panel of its figure.
struct TaskReport {
  std::string reading;
  std::vector<Check> checks;
  std::map<std::string, at::Tensor> arrays;
  std::vector<std::pair<std::string, double>> numbers;
  figures::Panel panel;
};

/// How much of each task is done.
struct TaskSizes {
  std::int64_t denoised = 128;    ///< held-out pictures
  std::int64_t filled = 64;       ///< held-out pictures
  std::int64_t generated = 100;   ///< new pictures of no class in particular
  std::int64_t of_each = 20;      ///< new pictures of each class
  std::int64_t steps = 50;        ///< of every chain, at most T
  int resamplings = 10;           ///< RePaint's
  std::int64_t training = 10000;  ///< training pictures that baselines and distances are made from
};
TaskSizes task_sizes(const Context& context);

/// What the tasks share.
struct TaskInput {
  const Context& context;
  const DigitsModel& model;
  const GaussianClassifier& classifier;
  TaskSizes sizes;
  at::Tensor held_out;  ///< [N,C,H,W] float32 in [-1, 1]
  at::Tensor labels;    ///< [N] int64
};

/// Held-out pictures through the forward process and back, by one estimate of x_0.
TaskReport denoising_task(const TaskInput& input);
/// The lower half of held-out pictures, filled in by RePaint and by replacement.
TaskReport inpainting_task(const TaskInput& input);
/// New pictures of no class in particular.
TaskReport generation_task(const TaskInput& input);
/// New pictures of each class.
TaskReport conditioned_task(const TaskInput& input);

/// The row, with the model and the sizes given. @return {} when asked to stop
Result tasks_row(const Context& context, const DigitsModel& model, const TaskSizes& sizes);

}  // namespace tinta::lab
