# SPDX-License-Identifier: Apache-2.0
# The tests that exist because their files exist. Each carries the name of its tier as label (`./dev test --tier`):
#   unit, golden  <file>_test.cpp beside what it tests: one binary a folder, one test a gtest case; a suite whose name
#                 ends in Golden is of the golden tier. *_test.py of tools/, tests/support/, tests/vm/ and bench/ are unit
#                 tests, too
#   load          tests/load/*_test.cpp: one binary; costs.cpp is a program of the scenarios netns.budget
#   fuzz          tests/fuzz/*_fuzz.cpp: one program each, run by ./dev fuzz (preset asan)
#   netns         *_netns.py of collectors/*/ and tests/netns/: one test a scenario

option(SOCKEYE_TEST_BINARIES "Build the test binaries (needs GoogleTest)" OFF)

enable_testing()

# What a test runs once is not worth optimising: it takes half the time to compile.
set(SOCKEYE_RUN_ONCE $<$<CONFIG:Debug>:-O0>)
target_compile_options(sockeye_cli PRIVATE ${SOCKEYE_RUN_ONCE})

# sockeye_add_gtests(TARGET PREFIX LABEL FILTER [properties...]): the cases of the binary that FILTER takes, as
# PREFIX.<suite>.<case>.
function(sockeye_add_gtests target prefix label filter)
  gtest_discover_tests(${target} TEST_PREFIX "${prefix}." TEST_FILTER ${filter} TEST_LIST ${target}_${label}
                       WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${label} TIMEOUT 120 ${ARGN})
endfunction()

# sockeye_test_binary(OUT NAME DIRECTORY [libraries...]): a binary of the tests below DIRECTORY; OUT is false where there
# are none.
function(sockeye_test_binary out name directory)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${directory}/*_test.cpp)
  set(${out} FALSE PARENT_SCOPE)
  if(sources)
    add_executable(${name} ${sources})
    target_compile_options(${name} PRIVATE ${SOCKEYE_RUN_ONCE})
    target_link_libraries(${name} PRIVATE ${ARGN} sockeye_test_support GTest::gtest_main)
    set(${out} TRUE PARENT_SCOPE)
  endif()
endfunction()

function(sockeye_folder_tests library directory)
  string(REGEX REPLACE "^src/" "" prefix ${directory})
  string(REPLACE "/" "." prefix ${prefix})
  sockeye_test_binary(exists ${library}_test ${directory} ${library})
  if(exists)
    sockeye_add_gtests(${library}_test ${prefix} unit "-*Golden.*")
    sockeye_add_gtests(${library}_test ${prefix} golden "*Golden.*")
  endif()
endfunction()

# sockeye_python_tests(SCRIPT NAME LABEL COMMAND...): one test, called NAME<case>, for each `def test_<case>(` of a script;
# in the command @case@ stands for the case.
function(sockeye_python_tests script name label)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  file(STRINGS ${script} lines REGEX "^ *def test_[a-z0-9_]+\\(")
  file(STRINGS ${script} alone REGEX "^ALONE = ")
  get_filename_component(folder ${script} DIRECTORY)
  foreach(line ${lines})
    string(REGEX REPLACE "^ *def test_([a-z0-9_]+)\\(.*" "\\1" case ${line})
    string(REPLACE "@case@" ${case} command "${ARGN}")
    add_test(NAME ${name}${case} COMMAND python3 -B ${command} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name}${case} PROPERTIES LABELS ${label} TIMEOUT 180 SKIP_RETURN_CODE 77
      ENVIRONMENT "PYTHONPATH=${folder}:${CMAKE_SOURCE_DIR}/tests/netns")
    if(label STREQUAL netns)
      if(alone)
        set_tests_properties(${name}${case} PROPERTIES RUN_SERIAL TRUE)
      endif()
      set_tests_properties(${name}${case} PROPERTIES
        ENVIRONMENT "SOCKEYE=$<TARGET_FILE:sockeye>;SOCKEYE_LOAD=$<TARGET_FILE:sockeye_load>;SOCKEYE_COSTS=$<TARGET_FILE:sockeye_costs>${uring_environment}")
    endif()
  endforeach()
endfunction()

if(SOCKEYE_TEST_BINARIES)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  sockeye_library(sockeye_test_support tests/support sockeye_event GTest::gtest)
  target_compile_definitions(sockeye_test_support PUBLIC SOCKEYE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

  foreach(stage base event record bpf source enrich aggregate pipeline doctor docs cli)
    sockeye_folder_tests(sockeye_${stage} src/${stage})
  endforeach()
  foreach(collector ${COLLECTORS})
    sockeye_folder_tests(collector_${collector} collectors/${collector})
  endforeach()
  foreach(sink ${SINKS})
    sockeye_folder_tests(sink_${sink} sinks/${sink})
  endforeach()

  sockeye_test_binary(exists sockeye_load_tests tests/load sockeye_bpf)
  if(exists)
    sockeye_add_gtests(sockeye_load_tests load load "*" RUN_SERIAL TRUE)
  endif()

  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/*_test.py ${CMAKE_SOURCE_DIR}/tests/support/*_test.py
       ${CMAKE_SOURCE_DIR}/tests/vm/*_test.py ${CMAKE_SOURCE_DIR}/bench/*_test.py)
  foreach(script ${scripts})
    # check_<what>_test.py is named lint.<what>_..., any other tool's test tools.<name>_...
    get_filename_component(name ${script} NAME)
    string(REGEX REPLACE "^(.*)_test\\.py$" "tools.\\1_" name ${name})
    string(REGEX REPLACE "^tools\\.check_" "lint." name ${name})
    sockeye_python_tests(${script} ${name} unit -m unittest -k "*.test_@case@" ${script})
  endforeach()
endif()

option(SOCKEYE_FUZZ "Build the fuzz targets (needs clang)" OFF)
if(SOCKEYE_FUZZ)
  add_custom_target(sockeye_fuzz)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    target_link_libraries(${name} PRIVATE sockeye_cli PkgConfig::LIBZSTD)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(sockeye_fuzz ${name})
  endforeach()
endif()

find_package(Threads REQUIRED)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/netns/load*.cpp)
add_executable(sockeye_load EXCLUDE_FROM_ALL ${sources})
target_link_libraries(sockeye_load PRIVATE sockeye_base Threads::Threads)

# Built with the workload program: what the verifier says of each program.
add_executable(sockeye_costs EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/load/costs.cpp)
target_link_libraries(sockeye_costs PRIVATE sockeye_bpf)
add_dependencies(sockeye_load sockeye_costs)

# Built with the other workload program; without liburing its scenarios skip.
pkg_check_modules(LIBURING IMPORTED_TARGET liburing)
if(LIBURING_FOUND)
  add_executable(sockeye_uring EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/netns/uring.cpp)
  target_link_libraries(sockeye_uring PRIVATE sockeye_base PkgConfig::LIBURING)
  add_dependencies(sockeye_load sockeye_uring)
  set(uring_environment ";SOCKEYE_URING=$<TARGET_FILE:sockeye_uring>")
endif()

file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/collectors/*/*_netns.py ${CMAKE_SOURCE_DIR}/tests/netns/*_netns.py)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME)
  string(REGEX REPLACE "_netns\\.py$" "" name ${name})
  sockeye_python_tests(${script} netns.${name}. netns ${CMAKE_SOURCE_DIR}/tests/netns/run_one.py ${script} test_@case@)
endforeach()
