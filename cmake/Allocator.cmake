# tinta::allocator: gperftools' malloc (tcmalloc) where the library is installed, else nothing, which
# leaves the system's; see docs/decisions/0016-allocator.md. Not with sanitizers, which have their own.
# The library of Debian's libtcmalloc-minimal4 is enough: only functions of libc are taken from it.

add_library(tinta_allocator INTERFACE)
add_library(tinta::allocator ALIAS tinta_allocator)
if(TINTA_SANITIZE)
  return()
endif()
find_library(TINTA_TCMALLOC NAMES tcmalloc_minimal libtcmalloc_minimal.so.4)
if(TINTA_TCMALLOC)
  # Nothing of ours names a symbol of it, so it has to be kept by force.
  target_link_options(tinta_allocator INTERFACE
    "SHELL:LINKER:--push-state,--no-as-needed \"${TINTA_TCMALLOC}\" LINKER:--pop-state")
  message(STATUS "Memory: from ${TINTA_TCMALLOC}")
else()
  message(STATUS "Memory: from the system's malloc; a quarter more is taken than with libtcmalloc-minimal4")
endif()
