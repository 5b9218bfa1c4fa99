#include "tinta/dist/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <thread>

namespace tinta::dist {
namespace {

// "3,0,1,2" after the name of the machine.
std::vector<int> listed(const std::string& text) {
  std::vector<int> cores;
  std::istringstream words(text.substr(text.find(' ') + 1));
  for (std::string word; std::getline(words, word, ',');) cores.push_back(std::stoi(word));
  return cores;
}

std::string machine(const std::string& text) { return text.substr(0, text.find(' ')); }

}  // namespace

std::string cores_of_this_process() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name = {'?'};
  std::string text = name.data();
  std::ranges::replace(text, ' ', '_');
  char before = ' ';
  const auto add = [&](int core) {
    text += before + std::to_string(core);
    before = ',';
  };
#if defined(__linux__)
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<std::size_t>(core), &set)) add(core);
    }
    return text;
  }
#endif
  for (int core = 0; core < static_cast<int>(std::thread::hardware_concurrency()); ++core)
    add(core);
  return text;
}

Cores cores_for(const std::vector<std::string>& all, int rank) {
  const std::string& own = all[static_cast<std::size_t>(rank)];
  std::map<int, int> users;
  Cores cores;
  for (std::size_t other = 0; other < all.size(); ++other) {
    if (machine(all[other]) != machine(own)) continue;
    for (const int core : listed(all[other])) ++users[core];
    if (static_cast<int>(other) < rank) ++cores.local_rank;
  }
  double parts = 0;
  for (const int core : listed(own)) parts += 1.0 / users[core];
  // Thirds add up to a little less than one.
  cores.threads = std::max(1, static_cast<int>(parts + 1e-6));
  return cores;
}

}  // namespace tinta::dist
