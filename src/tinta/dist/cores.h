#pragma once

#include <string>
#include <vector>

// How processes of one machine share its cores.

namespace tinta::dist {

/// Which machine this is, and which cores this process may use: "host 0,1,8". Launchers may have
/// bound each process to cores of its own, or not.
std::string cores_of_this_process();

/// A process's place on its machine.
struct Cores {
  int local_rank = 0;
  int threads = 1;
};

/// Each core counts for as many parts as processes of its machine may use it; threads are this
/// process's sum, rounded down, at least 1. @param all of every rank: cores_of_this_process()
Cores cores_for(const std::vector<std::string>& all, int rank);

}  // namespace tinta::dist
