#pragma once

#include <cstdint>
#include <string>

// Calls that change files, made to fail: for tests only. The library tinta_file_faults defines
// write(), fsync(), rename() and their like, counts those on paths below a prefix, and lets the
// n-th of them fail, kill the process, or wait for ever. It works in two ways:
//
// - A test program links it and arms it by arm().
// - Any program is started with it in LD_PRELOAD, and these variables:
//     TINTA_FAULT_PREFIX  what the paths of counted calls begin with
//     TINTA_FAULT_AT      which call, from 1; 0: none, they are only counted
//     TINTA_FAULT_COUNT   how many calls from there on; 0: all
//     TINTA_FAULT_ACTION  an errno value, "kill" (SIGKILL) or "hang"
//     TINTA_FAULT_LOG     file that gets a line "CALL PATH" for each call that was made to fail,
//     and
//                         at the program's end "calls N"

namespace tinta::faults {

enum class Action { error, kill, hang };

struct Plan {
  std::string prefix{};
  std::uint64_t at = 0;     ///< which call, from 1; 0: none
  std::uint64_t count = 1;  ///< how many from there on; 0: all
  Action action = Action::error;
  int error = 0;  ///< errno of a failing call
  std::string log{};
};

/// Counts from zero again. Not to be called while another thread writes.
void arm(const Plan& plan);
void disarm();

/// Counted calls since arm().
std::uint64_t calls();
/// Those of them that were made to fail.
std::uint64_t failures();
/// The path of the last call that was made to fail; "" where none was.
std::string failed_path();

/// While it lives, fsync() is counted and may fail, but does not wait for the disk: for tests of
/// what happens, not of the disk.
class WithoutFlushes {
 public:
  WithoutFlushes();
  ~WithoutFlushes();
  WithoutFlushes(const WithoutFlushes&) = delete;
  WithoutFlushes& operator=(const WithoutFlushes&) = delete;
};

/// Armed while it lives.
class Armed {
 public:
  explicit Armed(const Plan& plan) { arm(plan); }
  ~Armed() { disarm(); }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
};

}  // namespace tinta::faults
