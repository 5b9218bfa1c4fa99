#include "tinta/cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "tinta/cli/report.h"
#include "tinta/core/error.h"

namespace tinta::cli {
namespace fs = std::filesystem;
namespace {

constexpr int kCannotStart = 127;

int result_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
}

/// What the child does until it is another program. Only calls that are allowed after a fork.
[[noreturn]] void become(const char* program, char* const* words, int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nowhere = open("/dev/null", O_RDWR);
  const bool ready = getppid() == parent && nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 &&
                     dup2(nowhere, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
  if (ready) execv(program, words);
  _exit(kCannotStart);
}

}  // namespace

ChildProcess::ChildProcess(const fs::path& program, const std::vector<std::string>& words,
                           const fs::path& log) {
  std::vector<std::string> all = {program.string()};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : all) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) throw SystemError("[" + log.string() + "] cannot open", errno);
  const pid_t parent = getpid();
  id_ = fork();
  if (id_ == 0) become(program.c_str(), pointers.data(), file, parent);
  const int error = errno;
  close(file);
  if (id_ < 0) throw SystemError("[" + program.string() + "] cannot start", error);
}

ChildProcess::~ChildProcess() { kill(); }

bool ChildProcess::running() {
  if (result_ >= 0) return false;
  int status = 0;
  if (waitpid(id_, &status, WNOHANG) == id_) result_ = result_of(status);
  return result_ < 0;
}

void ChildProcess::kill() {
  if (result_ >= 0) return;
  ::kill(id_, SIGKILL);
  wait();
}

int ChildProcess::wait() {
  int status = 0;
  while (result_ < 0) {
    const pid_t ended = waitpid(id_, &status, 0);
    if (ended == id_) result_ = result_of(status);
    if (ended < 0 && errno != EINTR) result_ = kCannotStart;
  }
  return result_;
}

}  // namespace tinta::cli
