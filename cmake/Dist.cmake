# Sets TINTA_GLOO: whether several processes can work together here. The library is in LibTorch, the
# headers are Debian's libgloo-dev; a small program, compiled, linked and run, tells whether the two
# agree. Without them src/tinta/dist is a stub that refuses more than one process. The answer is
# kept until LibTorch is another one. See docs/decisions/0014-processes.md. Include it after
# LibTorch.cmake.

include(CheckSourceRuns)

if(NOT TINTA_GLOO_PROBED STREQUAL "${TINTA_TORCH_ROOT} ${TINTA_TORCH_VERSION}" OR NOT TINTA_GLOO)
  unset(TINTA_GLOO CACHE)
  file(READ "${CMAKE_CURRENT_LIST_DIR}/dist_probe.cpp" probe)
  set(CMAKE_REQUIRED_DEFINITIONS -DUSE_C10D_GLOO)
  set(CMAKE_REQUIRED_INCLUDES "${TINTA_TORCH_ROOT}/include"
                              "${TINTA_TORCH_ROOT}/include/torch/csrc/api/include")
  set(CMAKE_REQUIRED_LINK_OPTIONS "-Wl,-rpath,${TINTA_TORCH_ROOT}/lib" -Wl,--allow-shlib-undefined)
  set(CMAKE_REQUIRED_LIBRARIES "${TINTA_TORCH_ROOT}/lib/libtorch_cpu.so"
                               "${TINTA_TORCH_ROOT}/lib/libc10.so")
  set(CMAKE_REQUIRED_QUIET ON)
  message(STATUS "Processes: trying the headers of Gloo with LibTorch's library")
  check_source_runs(CXX "${probe}" TINTA_GLOO)
  foreach(name DEFINITIONS INCLUDES LINK_OPTIONS LIBRARIES QUIET)
    unset(CMAKE_REQUIRED_${name})
  endforeach()
  set(TINTA_GLOO_PROBED "${TINTA_TORCH_ROOT} ${TINTA_TORCH_VERSION}" CACHE INTERNAL
      "The LibTorch that TINTA_GLOO is said of")
endif()
if(TINTA_GLOO)
  message(STATUS "Processes: several, over Gloo")
else()
  message(STATUS "Processes: one alone; libgloo-dev is missing, or does not suit LibTorch "
                 "(${CMAKE_BINARY_DIR}/CMakeFiles/CMakeError.log)")
endif()
