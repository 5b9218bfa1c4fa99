# tinta_module(NAME [TORCH] [USES module...] [LIBRARIES lib...])
#
# One folder of src/tinta is one static library tinta_NAME. Every .cpp of the folder belongs to it,
# but for *_test.cpp, which make the program tinta_NAME_test. USES names the modules whose headers
# the folder may include; tests/lint/check_layers.py holds the folder to it. A file *no_cuda.cpp is
# what a build without TINTA_CUDA has in place of *with_cuda.cpp and *.cu; likewise for TINTA_GLOO,
# whose tests are *with_gloo_test.cpp, and TINTA_NCCL.

# Precompiled headers of LibTorch, built once and shared by all that use torch: the library's files
# (torch), and those of tests (torch_test), which have GoogleTest in theirs. GCC compiles the waiting
# templates of a precompiled header again at the end of every file, so that each header in here costs
# every file some time: those few that include torch/nn/module.h had better read it by themselves.
function(tinta_torch_pch target kind)
  set(pch tinta_pch_${kind})
  if(NOT TARGET ${pch})
    set(headers "#include <ATen/ATen.h>\n")
    if(kind STREQUAL torch_test)
      string(APPEND headers "#include <gmock/gmock.h>\n#include <gtest/gtest.h>\n")
    endif()
    # CONFIGURE, unlike WRITE, leaves a file alone that already says this: a fresh time stamp would
    # rebuild everything after each run of CMake.
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/pch/${kind}.h" @ONLY CONTENT "${headers}")
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/pch/${kind}.cpp" @ONLY CONTENT "")
    add_library(${pch} STATIC "${CMAKE_BINARY_DIR}/pch/${kind}.cpp")
    target_link_libraries(${pch} PRIVATE tinta_options tinta::torch OpenMP::OpenMP_CXX
                          $<$<STREQUAL:${kind},torch_test>:GTest::gmock>)
    target_precompile_headers(${pch} PRIVATE "${CMAKE_BINARY_DIR}/pch/${kind}.h")
  endif()
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

function(tinta_module name)
  cmake_parse_arguments(ARG "TORCH" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(per_isa ${sources})
  list(FILTER per_isa INCLUDE REGEX "_cpu\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_cpu\\.cpp$")
  set(stubs "")
  foreach(feature cuda gloo nccl)
    string(TOUPPER ${feature} upper)
    if(TINTA_${upper})
      set(left_out ${sources})
      list(FILTER left_out INCLUDE REGEX "no_${feature}\\.cpp$")
      list(APPEND stubs ${left_out})
      list(FILTER sources EXCLUDE REGEX "no_${feature}\\.cpp$")
    else()
      list(FILTER sources EXCLUDE REGEX "with_${feature}\\.cpp$")
      list(FILTER tests EXCLUDE REGEX "with_${feature}_test\\.cpp$")
    endif()
  endforeach()
  if(NOT sources)
    add_library(tinta_${name} INTERFACE)
    return()
  endif()
  add_library(tinta_${name} STATIC ${sources})
  list(TRANSFORM ARG_USES PREPEND tinta_ OUTPUT_VARIABLE uses)
  target_link_libraries(tinta_${name} PUBLIC ${uses} PRIVATE tinta_options PUBLIC ${ARG_LIBRARIES})
  target_include_directories(tinta_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  tinta_per_isa(tinta_${name} ${per_isa})
  tinta_cuda_kernels(tinta_${name} "${CMAKE_CURRENT_SOURCE_DIR}/${name}")
  if(ARG_TORCH)
    target_link_libraries(tinta_${name} PUBLIC tinta::torch OpenMP::OpenMP_CXX)
    tinta_torch_pch(tinta_${name} torch)
  endif()
  if(TINTA_TESTS AND stubs)  # compiled all the same, so that a build that needs them finds them whole
    add_library(tinta_${name}_stubs OBJECT ${stubs})
    target_link_libraries(tinta_${name}_stubs PRIVATE tinta_${name} tinta_options)
  endif()
  if(TINTA_TESTS AND tests)
    tinta_gtest(tinta_${name}_test SOURCES ${tests} LIBRARIES tinta_${name})
    if(ARG_TORCH)
      target_link_libraries(tinta_${name}_test PRIVATE tinta::torch OpenMP::OpenMP_CXX)
      tinta_torch_pch(tinta_${name}_test torch_test)
    endif()
  endif()
endfunction()

# Compiles files once per instruction set, each in its own namespace TINTA_ISA; which one runs is
# chosen at run time (kernels/isa.h). No torch here: an inline function of a library compiled for a
# newer processor could otherwise be the one that the linker keeps for all.
function(tinta_per_isa target)
  if(NOT ARGN)
    return()
  endif()
  set(flags_portable "")
  set(flags_avx2 -mavx2 -mfma)
  # bf16 and AMX: asked for by name alone, and only where the processor has them (kernels/isa.h).
  set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mamx-tile -mamx-bf16
                   $<$<CXX_COMPILER_ID:GNU>:-mprefer-vector-width=512>)
  set(isas portable)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND isas avx2 avx512)
  endif()
  foreach(isa IN LISTS isas)
    add_library(${target}_${isa} OBJECT ${ARGN})
    target_link_libraries(${target}_${isa} PRIVATE tinta_options)
    target_compile_definitions(${target}_${isa} PRIVATE TINTA_ISA=${isa})
    # No errno from sqrt and no trap from a speculated operation, so that loops vectorise; vectors
    # wider than the registers are passed only to inlined functions.
    target_compile_options(${target}_${isa} PRIVATE ${flags_${isa}} -fno-math-errno
                           -fno-trapping-math -Wno-psabi)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${isa}>)
  endforeach()
endfunction()

# The .cu files of a folder, where CUDA is asked for. No torch here either, so that any nvcc can check
# them (scripts/check_cuda.sh); no contraction, so that results are the CPU's bits.
function(tinta_cuda_kernels target folder)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cu")
  if(NOT TINTA_CUDA OR NOT sources)
    return()
  endif()
  add_library(${target}_cuda OBJECT ${sources})
  target_include_directories(${target}_cuda PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_compile_options(${target}_cuda PRIVATE --fmad=false -Xcompiler=-Wall,-Wextra
                         $<$<BOOL:${TINTA_WERROR}>:-Werror=all-warnings>)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_cuda>)
  target_link_libraries(${target} PUBLIC tinta::torch_cuda)
endfunction()

# tinta_gtest(TARGET SOURCES file... LIBRARIES lib... [LABEL label]): each TEST is one ctest entry.
function(tinta_gtest target)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE tinta_options ${ARG_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE TINTA_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                               TINTA_TEST_DATA_DEFAULT="${TINTA_TEST_DATA}")
  # ctest runs as many of them at a time as there are cores: with threads of their own as well, each
  # small parallel loop would wait for a thread that another test holds off, and what takes seconds
  # would take minutes. Tests of what threads do set their number.
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600 ENVIRONMENT "OMP_NUM_THREADS=1")
endfunction()

# tinta_programs(NAME [TORCH] [USES module...])
#
# A folder of programs rather than a library: its own CMakeLists.txt makes them. What it USES is for
# tests/lint/check_layers.py, as with tinta_module().
function(tinta_programs name)
  add_subdirectory(${name})
endfunction()
