# Defines tinta::torch from a LibTorch installation: the wheel in the project's .venv, or any other
# through Torch_DIR. The target is made here rather than by find_package(Torch), because that one
# demands a CUDA toolkit for a CUDA wheel even where none is needed; see
# docs/decisions/0002-libtorch-target.md.

set(Torch_DIR "" CACHE PATH "An existing LibTorch: <prefix>/share/cmake/Torch")
if(NOT Torch_DIR AND DEFINED ENV{Torch_DIR})
  set(Torch_DIR "$ENV{Torch_DIR}")
endif()

if(Torch_DIR)
  cmake_path(SET tinta_torch_root NORMALIZE "${Torch_DIR}/../../..")
else()
  file(GLOB tinta_torch_candidates "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
  list(LENGTH tinta_torch_candidates tinta_torch_found)
  if(NOT tinta_torch_found EQUAL 1)
    message(FATAL_ERROR "LibTorch not found: expected the torch wheel in .venv (make setup) or Torch_DIR")
  endif()
  set(tinta_torch_root "${tinta_torch_candidates}")
endif()
cmake_path(SET tinta_torch_root NORMALIZE "${tinta_torch_root}/.")
string(REGEX REPLACE "/$" "" tinta_torch_root "${tinta_torch_root}")

set(tinta_torch_version_header "${tinta_torch_root}/include/torch/headeronly/version.h")
if(NOT EXISTS "${tinta_torch_version_header}")
  set(tinta_torch_version_header "${tinta_torch_root}/include/torch/csrc/api/include/torch/version.h")
endif()
if(NOT EXISTS "${tinta_torch_version_header}")
  message(FATAL_ERROR "LibTorch not found under ${tinta_torch_root}: no version.h in its include folder")
endif()
foreach(part MAJOR MINOR PATCH)
  file(STRINGS "${tinta_torch_version_header}" line REGEX "#define TORCH_VERSION_${part} [0-9]+")
  string(REGEX MATCH "[0-9]+$" tinta_torch_${part} "${line}")
endforeach()
set(TINTA_TORCH_VERSION "${tinta_torch_MAJOR}.${tinta_torch_MINOR}.${tinta_torch_PATCH}")
if(TINTA_TORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "LibTorch 2.11 or newer is needed, got ${TINTA_TORCH_VERSION} in ${tinta_torch_root}")
endif()

add_library(tinta_torch INTERFACE)
add_library(tinta::torch ALIAS tinta_torch)
target_include_directories(tinta_torch SYSTEM INTERFACE
  "${tinta_torch_root}/include" "${tinta_torch_root}/include/torch/csrc/api/include")
set(tinta_torch_libraries torch torch_cpu c10)
if(EXISTS "${tinta_torch_root}/lib/libtorch_cuda.so")
  list(APPEND tinta_torch_libraries torch_cuda c10_cuda)
  set(TINTA_TORCH_CUDA ON)
else()
  set(TINTA_TORCH_CUDA OFF)
endif()
list(TRANSFORM tinta_torch_libraries PREPEND "${tinta_torch_root}/lib/lib")
list(TRANSFORM tinta_torch_libraries APPEND ".so")
# libtorch_cuda registers its kernels when it is loaded and nothing of ours names a symbol of it:
# --no-as-needed keeps it. Its own dependencies are found through its own RUNPATH at run time.
target_link_libraries(tinta_torch INTERFACE
  -Wl,--push-state,--no-as-needed ${tinta_torch_libraries} -Wl,--pop-state)
target_link_options(tinta_torch INTERFACE -Wl,--allow-shlib-undefined)
set(CMAKE_BUILD_RPATH "${tinta_torch_root}/lib")
set(CMAKE_INSTALL_RPATH "${tinta_torch_root}/lib")
message(STATUS "LibTorch ${TINTA_TORCH_VERSION} (CUDA: ${TINTA_TORCH_CUDA}) in ${tinta_torch_root}")
