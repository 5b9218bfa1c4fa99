# ccache and mold when present, warnings on our own code, sanitizers by preset.

find_program(TINTA_CCACHE ccache)
if(TINTA_CCACHE)
  # The precompiled header needs these two sloppinesses; see ccache's manual, "Precompiled headers".
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 ${TINTA_CCACHE})
endif()

find_program(TINTA_MOLD mold)
if(TINTA_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # mold 1.10 lets the part that is read-only after relocation begin at a thread-local byte, which in
  # about one link of a hundred lies in a page that is not mapped: the program then does not start.
  add_link_options(-fuse-ld=mold LINKER:-z,norelro)
endif()

add_library(tinta_options INTERFACE)
target_compile_options(tinta_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  # Without this a compiler may fuse a*b+c on one instruction set and not on another, and results
  # would no longer be the same bits everywhere.
  -ffp-contract=off
  $<$<BOOL:${TINTA_WERROR}>:-Werror>)
target_include_directories(tinta_options INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(TINTA_SANITIZE)
  add_compile_options(-fsanitize=${TINTA_SANITIZE})
  add_link_options(-fsanitize=${TINTA_SANITIZE})
  # GCC loses track of values and sizes behind what the sanitizers add, and warns of them; and of
  # fences, which the thread sanitizer does not follow. The other presets hold the same code to these.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(tinta_options INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-tsan)
  endif()
  target_sources(tinta_options INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_CURRENT_LIST_DIR}/sanitizers.cpp>)
endif()
if(TINTA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # coverage for libFuzzer; see fuzz/CMakeLists.txt
endif()
