# What `cmake --install` puts in place: the library, its public headers, the programs, a CMake package
# (find_package(qlite), target qlite::qlite) and a pkg-config file.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(QLITE_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/qlite)
install(TARGETS qlite EXPORT qliteTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qlite DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT qliteTargets NAMESPACE qlite:: DESTINATION ${QLITE_PACKAGE_DIR})
if(QLITE_BUILD_EXAMPLES)
  install(TARGETS qlite_convert qlite_benchmark RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/qliteConfig.cmake.in ${PROJECT_BINARY_DIR}/qliteConfig.cmake
                              INSTALL_DESTINATION ${QLITE_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qliteConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/qliteConfig.cmake ${PROJECT_BINARY_DIR}/qliteConfigVersion.cmake
        DESTINATION ${QLITE_PACKAGE_DIR})

# The pkg-config file finds its neighbours from where it lies, so that the installation may be moved.
file(RELATIVE_PATH QLITE_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/qlite.pc.in ${PROJECT_BINARY_DIR}/qlite.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/qlite.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
