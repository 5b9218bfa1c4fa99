// What the sanitizers hold against libraries that are not ours: part of every program of the
// presets asan and tsan (Toolchain.cmake). The names are the sanitizers' own.

/// fontconfig keeps what it has read of the system's fonts for as long as the process lives.
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }

/// GCC's OpenMP waits by means that the thread sanitizer does not see.
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libgomp.so\n"
         "race:libgomp.so\n";
}
