# SPDX-License-Identifier: Apache-2.0
# One library a folder of src/, collectors/ and sinks/; tests stand beside what they test and are left out here.
# Links point the way the data flows, so that an include that points the wrong way does not link either;
# tools/check_layers.py says which line it was.

find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(LIBCAP_NG REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(LIBNETFILTER_CONNTRACK REQUIRED IMPORTED_TARGET libnetfilter_conntrack)
pkg_check_modules(LIBZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LIBUTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(LIBCURL REQUIRED libcurl)
find_package(Threads REQUIRED)

# sockeye_library(NAME DIRECTORY [libraries it sees...])
function(sockeye_library name directory)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${directory}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${ARGN})
endfunction()

sockeye_library(sockeye_base src/base PkgConfig::LIBUTF8PROC)
sockeye_library(sockeye_event src/event sockeye_base)
target_sources(sockeye_event PRIVATE ${GEN}/collectors.gen.cpp ${GEN}/sinks.gen.cpp)
sockeye_library(sockeye_bpf src/bpf sockeye_event PkgConfig::LIBBPF PkgConfig::LIBELF)
target_sources(sockeye_bpf PRIVATE ${GEN}/want.gen.cpp)
add_dependencies(sockeye_bpf bpf_skeleton)
sockeye_library(sockeye_record src/record sockeye_event PkgConfig::LIBZSTD)
sockeye_library(sockeye_source src/source sockeye_bpf sockeye_record)
sockeye_library(sockeye_enrich src/enrich sockeye_bpf PkgConfig::LIBNETFILTER_CONNTRACK Threads::Threads ${CMAKE_DL_LIBS})
target_include_directories(sockeye_enrich PRIVATE ${LIBCURL_INCLUDE_DIRS})  # loaded when there is a daemon to ask
sockeye_library(sockeye_aggregate src/aggregate sockeye_source sockeye_enrich)
sockeye_library(sockeye_pipeline src/pipeline sockeye_source sockeye_enrich)
sockeye_library(sockeye_run src/run sockeye_aggregate sockeye_pipeline)
target_compile_definitions(sockeye_run PRIVATE SOCKEYE_VERSION="${PROJECT_VERSION}")
sockeye_library(sockeye_doctor src/doctor sockeye_bpf sockeye_enrich PkgConfig::LIBCAP_NG)

set(collector_libraries)
foreach(collector ${COLLECTORS})
  sockeye_library(collector_${collector} collectors/${collector} sockeye_event)
  list(APPEND collector_libraries collector_${collector})
endforeach()
set(sink_libraries)
foreach(sink ${SINKS})
  sockeye_library(sink_${sink} sinks/${sink} sockeye_record)
  list(APPEND sink_libraries sink_${sink})
endforeach()
# The generated lists name every collector and sink.
target_link_libraries(sockeye_event PUBLIC ${collector_libraries} ${sink_libraries})

sockeye_library(sockeye_docs src/docs sockeye_aggregate)
sockeye_library(sockeye_cli src/cli sockeye_run sockeye_doctor sockeye_docs CLI11::CLI11 fmt::fmt)
target_compile_definitions(sockeye_cli PRIVATE SOCKEYE_VERSION="${PROJECT_VERSION}")

add_executable(sockeye src/main.cpp)
target_link_libraries(sockeye PRIVATE sockeye_cli)
