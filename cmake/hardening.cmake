# SPDX-License-Identifier: Apache-2.0
# sockeye runs as root and reads what anybody may have written: a mistake in it must end the run, not give the machine away.
# tests/netns/binary_netns.py looks for each of these in the program.

add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection)
add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
# FORTIFY_SOURCE needs an optimised build; the sanitizers check the same functions by themselves.
if(NOT SOCKEYE_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
