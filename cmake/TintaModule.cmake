# tinta_module(NAME [TORCH] [USES module...] [LIBRARIES lib...])
#
# One folder of src/tinta is one static library tinta_NAME. Every .cpp of the folder belongs to it,
# but for *_test.cpp, which make the program tinta_NAME_test. USES names the modules whose headers
# the folder may include; tests/lint/check_layers.py holds the folder to it.

set(TINTA_ALL_MODULES "" CACHE INTERNAL "")
file(WRITE "${CMAKE_BINARY_DIR}/pch/torch.h" [[
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
]])

# The precompiled header of LibTorch is built once and shared by every module that uses torch.
function(tinta_torch_pch target)
  if(NOT TARGET tinta_pch)
    file(WRITE "${CMAKE_BINARY_DIR}/pch/pch.cpp" "")
    add_library(tinta_pch STATIC "${CMAKE_BINARY_DIR}/pch/pch.cpp")
    target_link_libraries(tinta_pch PRIVATE tinta_options tinta::torch OpenMP::OpenMP_CXX)
    target_precompile_headers(tinta_pch PRIVATE "${CMAKE_BINARY_DIR}/pch/torch.h")
  endif()
  target_precompile_headers(${target} REUSE_FROM tinta_pch)
endfunction()

function(tinta_module name)
  cmake_parse_arguments(ARG "TORCH" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    add_library(tinta_${name} INTERFACE)
    return()
  endif()
  add_library(tinta_${name} STATIC ${sources})
  list(TRANSFORM ARG_USES PREPEND tinta_ OUTPUT_VARIABLE uses)
  target_link_libraries(tinta_${name} PUBLIC ${uses} PRIVATE tinta_options PUBLIC ${ARG_LIBRARIES})
  target_include_directories(tinta_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  if(ARG_TORCH)
    target_link_libraries(tinta_${name} PUBLIC tinta::torch OpenMP::OpenMP_CXX)
    tinta_torch_pch(tinta_${name})
  endif()
  if(TINTA_TESTS AND tests)
    tinta_gtest(tinta_${name}_test SOURCES ${tests} LIBRARIES tinta_${name})
    if(ARG_TORCH)
      target_link_libraries(tinta_${name}_test PRIVATE tinta::torch OpenMP::OpenMP_CXX)
      tinta_torch_pch(tinta_${name}_test)
    endif()
  endif()
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
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 300 ENVIRONMENT "OMP_NUM_THREADS=2;TINTA_TEST_DATA=${TINTA_TEST_DATA}")
endfunction()
