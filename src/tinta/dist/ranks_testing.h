#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tinta/dist/connect.h"
#include "tinta/dist/group.h"

// For tests: ranks that are threads of this process.

namespace tinta::dist {

/// Calls a function once on each rank, all at a time. Expectations in it count; it throws nothing.
inline void on_ranks(int size, const std::function<void(Group&)>& call) {
  const std::vector<std::unique_ptr<Group>> groups = groups_of_threads(size);
  std::vector<std::thread> threads;
  for (const auto& group : groups) threads.emplace_back([&] { call(*group); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace tinta::dist
