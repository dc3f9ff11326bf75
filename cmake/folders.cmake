# SPDX-License-Identifier: Apache-2.0
# What there is, by looking: a collector, a sink and a handler exist because their folder or file does.

# sockeye_folders(OUT DIRECTORY): the sorted names of the folders in DIRECTORY.
function(sockeye_folders out directory)
  file(GLOB entries CONFIGURE_DEPENDS RELATIVE ${directory} ${directory}/*)
  set(names)
  foreach(entry ${entries})
    if(IS_DIRECTORY ${directory}/${entry})
      if(NOT entry MATCHES "^[a-z][a-z0-9_]*$")
        message(FATAL_ERROR "${directory}/${entry}: a folder's name is lower case letters, digits and underscores")
      endif()
      list(APPEND names ${entry})
    endif()
  endforeach()
  list(SORT names)
  set(${out} ${names} PARENT_SCOPE)
endfunction()

sockeye_folders(COLLECTORS ${CMAKE_SOURCE_DIR}/collectors)
sockeye_folders(SINKS ${CMAKE_SOURCE_DIR}/sinks)

file(GLOB hook_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/hooks/*.bpf.c)
set(HOOKS)
foreach(file ${hook_files})
  string(REGEX REPLACE ".*/([a-z_]+)\\.bpf\\.c$" "\\1" hook ${file})
  list(APPEND HOOKS ${hook})
endforeach()
list(SORT HOOKS)

# HANDLERS: "collector hook" pairs, from collectors/<collector>/on_<hook>.bpf.h.
set(HANDLERS)
foreach(collector ${COLLECTORS})
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/collectors/${collector}
       ${CMAKE_SOURCE_DIR}/collectors/${collector}/on_*.bpf.h)
  foreach(file ${files})
    string(REGEX REPLACE "^on_(.*)\\.bpf\\.h$" "\\1" hook ${file})
    if(NOT hook IN_LIST HOOKS)
      message(FATAL_ERROR "collectors/${collector}/${file}: there is no hook ${hook} (bpf/hooks/: ${HOOKS})")
    endif()
    list(APPEND HANDLERS "${collector} ${hook}")
  endforeach()
endforeach()
list(SORT HANDLERS)
