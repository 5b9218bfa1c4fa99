# Where TINTA_CUDA is ON: the language CUDA, and tinta::torch_cuda, what a CUDA build of LibTorch has
# beyond tinta::torch, and TINTA_NCCL. Elsewhere nothing at all: a build without a toolkit needs none, whatever
# LibTorch it has. See docs/decisions/0010-cuda.md. Include it after LibTorch.cmake.

if(NOT TINTA_CUDA)
  return()
endif()
if(NOT TINTA_TORCH_CUDA)
  message(FATAL_ERROR "[TINTA_CUDA] expected a CUDA build of LibTorch, got one for the CPU in "
                      "${TINTA_TORCH_ROOT}")
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "[TINTA_CUDA] expected nvcc on PATH, or its path in CMAKE_CUDA_COMPILER, got none")
endif()
# Machine code for Ampere, Ada and Hopper, and PTX, from which the driver compiles for later ones.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90)
endif()
# LibTorch brings libcudart.so: one runtime in a process.
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)
find_package(CUDAToolkit REQUIRED)

# Headers that disagree with the library would be found out at run time only.
set(header "${TINTA_TORCH_ROOT}/include/c10/cuda/CUDAStream.h")
if(NOT EXISTS "${header}")
  message(FATAL_ERROR "[TINTA_CUDA] expected LibTorch's CUDA headers, got no ${header}")
endif()
foreach(library torch_cuda c10_cuda)
  tinta_import_torch_library(${library})
endforeach()
add_library(tinta_torch_cuda INTERFACE)
add_library(tinta::torch_cuda ALIAS tinta_torch_cuda)
target_link_libraries(tinta_torch_cuda INTERFACE
  tinta::torch tinta_torch_torch_cuda tinta_torch_c10_cuda CUDA::cudart)
# Of the wheel beside torch's, or of the system. Without it processes on GPUs cannot work together.
find_path(TINTA_NCCL_INCLUDE nccl.h HINTS "${TINTA_TORCH_ROOT}/../nvidia/nccl/include")
if(TINTA_NCCL_INCLUDE)
  set(TINTA_NCCL ON)
  target_include_directories(tinta_torch_cuda SYSTEM INTERFACE "${TINTA_NCCL_INCLUDE}")
  # LibTorch's header of NCCL names those of cuBLAS and others, which a small toolkit lacks and the
  # wheels beside torch's have: after the toolkit's own, whose version counts.
  file(GLOB wheels "${TINTA_TORCH_ROOT}/../nvidia/*/include")
  foreach(folder IN LISTS wheels)
    target_compile_options(tinta_torch_cuda INTERFACE
                           "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter \"${folder}\">")
  endforeach()
else()
  set(TINTA_NCCL OFF)
  message(STATUS "Processes: none on GPUs, as there is no nccl.h")
endif()
message(STATUS "CUDA ${CUDAToolkit_VERSION}: kernels for ${CMAKE_CUDA_ARCHITECTURES}")
