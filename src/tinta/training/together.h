#pragma once

#include <utility>

#include "tinta/core/sink.h"
#include "tinta/dist/group.h"
#include "tinta/training/state.h"

// How several processes train one run. Rank 0 runs the session (trainer.h): it reads the clock,
// decides, and writes the run folder. The others do what it orders (follower.h), with the same
// weights, moments and count of steps as it has.

namespace tinta::training {

/// What all ranks do next.
enum class Action : int {
  end,   ///< `number` is the Ending
  step,  ///< `number` is the share of the budget that is spent
  validate,
  preview,
  compare,  ///< see require_same_weights()
  receive,  ///< see hand_out()
};
struct Order {
  Action action = Action::end;
  double number = 0;
};

/// The orders' way, and back on it whether some rank was asked to stop. With one process all of it
/// is nothing.
class Orders {
 public:
  /// @param stop asked at each order; kept by value
  Orders(dist::Group& group, StopRequested stop) : group_(group), stop_(std::move(stop)) {}

  /// Of rank 0. @throws SystemError when a peer is lost
  void give(const Order& order);
  /// Of the others. @throws likewise
  [[nodiscard]] Order take();
  /// Whether this rank is asked to stop, or another was when the last order was given.
  [[nodiscard]] bool asked_to_stop() const { return stopped_ || (stop_ && stop_()); }

 private:
  void exchange(Order& order);

  dist::Group& group_;
  StopRequested stop_;
  bool stopped_ = false;
};

/// Gives every rank rank 0's state: its tensors and all that a checkpoint holds. So a resumed run
/// needs no disk that all machines share, and the ranks cannot disagree on where it goes on.
/// @param state of the same parameters on every rank
/// @throws SystemError where it has not arrived as it was sent
void hand_out(dist::Group& group, TrainingState& state);

/// @throws SystemError on every rank where one's weights have other bits than rank 0's
void require_same_weights(dist::Group& group, const TrainingState& state);

}  // namespace tinta::training
