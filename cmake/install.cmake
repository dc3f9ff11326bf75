# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the program, which has its kernel side in it, and what is written about it.

include(GNUInstallDirs)
install(TARGETS sockeye RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
file(GLOB documents CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${documents} DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
