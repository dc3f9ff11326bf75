# SPDX-License-Identifier: Apache-2.0
# What only ./dev bench builds: the minimal program that marks what is possible (bench/limit/). The workload program is
# that of the scenarios (sockeye_load).

set(LIMIT_OBJECT ${GEN}/limit.bpf.o)
set(LIMIT_SKELETON ${GEN}/limit.skel.h)
add_custom_command(
  OUTPUT ${LIMIT_OBJECT} ${LIMIT_SKELETON}
  COMMAND ${CLANG} -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_${bpf_arch} -Wall -Wextra -Werror -Wno-unused-parameter
          -I${CMAKE_SOURCE_DIR} -I${CMAKE_SOURCE_DIR}/src -MD -MF ${LIMIT_OBJECT}.d -MT ${LIMIT_OBJECT}
          -c ${CMAKE_SOURCE_DIR}/bench/limit/limit.bpf.c -o ${LIMIT_OBJECT}
  COMMAND ${LLVM_STRIP} -g ${LIMIT_OBJECT}
  COMMAND ${BPFTOOL} gen skeleton ${LIMIT_OBJECT} name limit_bpf > ${LIMIT_SKELETON}
  DEPENDS ${CMAKE_SOURCE_DIR}/bench/limit/limit.bpf.c
  DEPFILE ${LIMIT_OBJECT}.d
  COMMENT "BPF object and skeleton of the minimal program"
  VERBATIM)
add_executable(sockeye_limit EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/limit/limit.cpp ${LIMIT_SKELETON})
target_link_libraries(sockeye_limit PRIVATE sockeye_base PkgConfig::LIBBPF)
