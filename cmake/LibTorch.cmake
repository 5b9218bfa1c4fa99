# Defines tinta::torch from a LibTorch installation: the wheel in the project's .venv, or any other
# through Torch_DIR (a CMake or environment variable: <prefix>/share/cmake/Torch, or <prefix>). The
# target is made here rather than by find_package(Torch), because that one demands a CUDA toolkit for
# a CUDA build of LibTorch, though neither compiling nor running ours needs one; see
# docs/decisions/0002-libtorch-target.md. Include it before find_package(OpenMP).
#
# Sets TINTA_TORCH_ROOT, TINTA_TORCH_VERSION, and TINTA_TORCH_CUDA (ON for a CUDA build).

set(Torch_DIR "$ENV{Torch_DIR}" CACHE PATH "An existing LibTorch: <prefix>/share/cmake/Torch")

# Sets TINTA_TORCH_ROOT to the folder that holds include/ and lib/.
function(tinta_find_torch_root)
  if(Torch_DIR)
    cmake_path(ABSOLUTE_PATH Torch_DIR BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE
               OUTPUT_VARIABLE root)
    string(REGEX REPLACE "/share/cmake/Torch/?$" "" root "${root}")
    set(asked "Torch_DIR=${Torch_DIR}")
  else()
    file(GLOB root "${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch")
    list(LENGTH root found)
    if(found GREATER 1)
      message(FATAL_ERROR "[LibTorch] expected one torch wheel in .venv, got ${root}")
    endif()
    set(asked ".venv (run \"make setup\", or set Torch_DIR to an existing LibTorch)")
  endif()
  if(NOT EXISTS "${root}/lib/libtorch_cpu.so" OR NOT EXISTS "${root}/include/ATen/ATen.h")
    message(FATAL_ERROR "[LibTorch] expected lib/libtorch_cpu.so and include/ATen/ATen.h in ${asked}")
  endif()
  string(REGEX REPLACE "/$" "" root "${root}")
  set(TINTA_TORCH_ROOT "${root}" PARENT_SCOPE)
endfunction()

# Sets TINTA_TORCH_VERSION from the installation's own header, and refuses one that is too old.
function(tinta_read_torch_version minimum)
  set(header "${TINTA_TORCH_ROOT}/include/torch/headeronly/version.h")
  if(NOT EXISTS "${header}")
    set(header "${TINTA_TORCH_ROOT}/include/torch/csrc/api/include/torch/version.h")
  endif()
  set(parts "")
  foreach(part MAJOR MINOR PATCH)
    set(line "")
    if(EXISTS "${header}")
      file(STRINGS "${header}" line REGEX "#define TORCH_VERSION_${part} [0-9]+")
    endif()
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND parts "${number}")
  endforeach()
  list(JOIN parts "." version)
  if(NOT version MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$" OR version VERSION_LESS minimum)
    message(FATAL_ERROR
            "[LibTorch] expected version ${minimum} or newer, got \"${version}\" in ${TINTA_TORCH_ROOT}")
  endif()
  set(TINTA_TORCH_VERSION "${version}" PARENT_SCOPE)
endfunction()

# An imported library of LibTorch, so that CMake treats it as a file: paths with spaces are quoted.
function(tinta_import_torch_library name)
  add_library(tinta_torch_${name} SHARED IMPORTED)
  set_target_properties(tinta_torch_${name} PROPERTIES
    IMPORTED_LOCATION "${TINTA_TORCH_ROOT}/lib/lib${name}.so")
endfunction()

tinta_find_torch_root()
tinta_read_torch_version(2.11)
foreach(library torch torch_cpu c10)
  tinta_import_torch_library(${library})
endforeach()

# Nothing of ours names a symbol of libtorch.so. It is kept nevertheless, because it is what loads
# libtorch_cuda.so in a CUDA build, whose kernels register themselves when they are loaded.
set(CMAKE_LINK_LIBRARY_USING_tinta_keep_SUPPORTED TRUE)
set(CMAKE_LINK_LIBRARY_USING_tinta_keep
    "LINKER:--push-state,--no-as-needed" "<LINK_ITEM>" "LINKER:--pop-state")

add_library(tinta_torch INTERFACE)
add_library(tinta::torch ALIAS tinta_torch)
target_include_directories(tinta_torch SYSTEM INTERFACE
  "${TINTA_TORCH_ROOT}/include" "${TINTA_TORCH_ROOT}/include/torch/csrc/api/include")
target_link_libraries(tinta_torch INTERFACE
  "$<LINK_LIBRARY:tinta_keep,tinta_torch_torch>" tinta_torch_torch_cpu tinta_torch_c10)
# Its libraries are release builds, and what some of its classes hold (at::RecordFunction, the
# dispatcher) depends on NDEBUG: without it in ours too, both would disagree about where things lie.
target_compile_definitions(tinta_torch INTERFACE $<$<CONFIG:Debug>:NDEBUG>)
# LibTorch's libraries find what they need themselves (CUDA's come from other wheels, beside torch's)
# through their own RPATH, at run time; at link time they may be out of the linker's sight.
target_link_options(tinta_torch INTERFACE "LINKER:--allow-shlib-undefined")

# A wheel carries an OpenMP runtime under the name of gcc's. Ours links that very file (FindOpenMP
# looks no further when this is set), so that one pool of threads serves LibTorch and our kernels.
if(EXISTS "${TINTA_TORCH_ROOT}/lib/libgomp.so.1")
  set(OpenMP_gomp_LIBRARY "${TINTA_TORCH_ROOT}/lib/libgomp.so.1" CACHE FILEPATH
      "The OpenMP runtime of LibTorch" FORCE)
endif()

# Without these an installed program would look for LibTorch in the system's folders.
set(CMAKE_BUILD_RPATH "${TINTA_TORCH_ROOT}/lib")
set(CMAKE_INSTALL_RPATH "${TINTA_TORCH_ROOT}/lib")

if(EXISTS "${TINTA_TORCH_ROOT}/lib/libtorch_cuda.so")
  set(TINTA_TORCH_CUDA ON)
else()
  set(TINTA_TORCH_CUDA OFF)
endif()
message(STATUS "LibTorch ${TINTA_TORCH_VERSION} (CUDA: ${TINTA_TORCH_CUDA}) in ${TINTA_TORCH_ROOT}")
