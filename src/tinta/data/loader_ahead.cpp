#include "tinta/data/loader_ahead.h"

namespace tinta::data {

Batch LoaderAhead::part(std::uint64_t step, std::int64_t first, std::int64_t count) {
  const bool begun = next_.valid() && begun_ == Wanted{step, first, count};
  // Where a run has jumped, what was begun is waited for and dropped.
  Batch batch = begun ? next_.get() : loader_.part(step, first, count);
  begun_ = {step + 1, first, count};
  next_ = std::async(std::launch::async, [&loader = loader_, wanted = begun_] {
    return loader.part(wanted.step, wanted.first, wanted.count);
  });
  return batch;
}

}  // namespace tinta::data
