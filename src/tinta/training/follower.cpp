#include "tinta/training/follower.h"

#include <optional>

#include "tinta/training/together.h"

namespace tinta::training {

Ending follow(const TrainerParts& parts, TrainingState& state, const TrainerHooks& hooks) {
  Orders orders(parts.group, hooks.stop);
  std::optional<TrainingStep> step(std::in_place, parts, state);
  for (;;) {
    const Order order = orders.take();
    switch (order.action) {
      case Action::end:
        return static_cast<Ending>(static_cast<int>(order.number));
      case Action::step:
        step->run(order.number);
        break;
      case Action::validate:
        hooks.validate(state.step, state.averages());
        break;
      case Action::preview:
        hooks.preview(state.step, state.averages());
        break;
      case Action::compare:
        require_same_weights(parts.group, state);
        break;
      case Action::receive:
        hand_out(parts.group, state);
        step.emplace(parts, state);
        break;
    }
  }
}

}  // namespace tinta::training
