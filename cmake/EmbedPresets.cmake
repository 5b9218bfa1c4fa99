# tinta_embed_presets(TARGET): adds a source to TARGET that holds presets/*.toml as text, so that the
# programs need no files beside them. Run as a script (cmake -DFILES=... -DOUTPUT=... -P) it writes
# that source.

if(CMAKE_SCRIPT_MODE_FILE)
  set(entries "")
  foreach(file IN LISTS FILES)
    cmake_path(GET file STEM name)
    file(READ "${file}" toml)
    string(APPEND entries "    {\"${name}\", R\"preset(${toml})preset\"},\n")
  endforeach()
  file(WRITE "${OUTPUT}" "// Written by cmake/EmbedPresets.cmake from presets/*.toml.
#include \"tinta/config/embedded.h\"

#include <array>

namespace tinta::config {

std::span<const EmbeddedPreset> embedded_presets() {
  static constexpr auto kPresets = std::to_array<EmbeddedPreset>({
${entries}  });
  return kPresets;
}

}  // namespace tinta::config
")
  return()
endif()

function(tinta_embed_presets target)
  file(GLOB presets CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/presets/*.toml")
  list(SORT presets)
  set(output "${CMAKE_BINARY_DIR}/generated/embedded_presets.cpp")
  add_custom_command(OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} "-DFILES=${presets}" "-DOUTPUT=${output}"
            -P "${CMAKE_SOURCE_DIR}/cmake/EmbedPresets.cmake"
    DEPENDS ${presets} "${CMAKE_SOURCE_DIR}/cmake/EmbedPresets.cmake"
    COMMENT "Embedding presets" VERBATIM)
  target_sources(${target} PRIVATE "${output}")
endfunction()
