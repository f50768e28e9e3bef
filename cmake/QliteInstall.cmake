# What `cmake --install` puts in place, in three components that are also the Debian packages that `cpack -G DEB` makes:
# library (libqlite.so.0), development (headers, the static library with the C++ API, CMake and pkg-config files), tools.
# A self-contained build has no static library to install: the code inside it belongs to libqlite.so.0 alone.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(QLITE_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/qlite)
install(TARGETS qlite_shared EXPORT qliteCTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(EXPORT qliteCTargets NAMESPACE qlite:: DESTINATION ${QLITE_PACKAGE_DIR} COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/capi/qlite.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
if(NOT QLITE_SELF_CONTAINED)
  install(TARGETS qlite EXPORT qliteCxxTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT qliteCxxTargets NAMESPACE qlite:: DESTINATION ${QLITE_PACKAGE_DIR} COMPONENT development)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qlite DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
endif()
if(QLITE_BUILD_EXAMPLES)
  install(TARGETS qlite_convert qlite_benchmark RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/qliteConfig.cmake.in ${PROJECT_BINARY_DIR}/qliteConfig.cmake
                              INSTALL_DESTINATION ${QLITE_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qliteConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/qliteConfig.cmake ${PROJECT_BINARY_DIR}/qliteConfigVersion.cmake
        DESTINATION ${QLITE_PACKAGE_DIR} COMPONENT development)

# The pkg-config files find their neighbours from where they lie, so that the installation may be moved.
file(RELATIVE_PATH QLITE_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(pkg_config_files qlite)
if(NOT QLITE_SELF_CONTAINED)
  list(APPEND pkg_config_files qlite-cxx)
endif()
foreach(file IN LISTS pkg_config_files)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${file}.pc.in ${PROJECT_BINARY_DIR}/${file}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${file}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endforeach()

set(CPACK_PACKAGE_NAME qlite)
set(CPACK_PACKAGE_VENDOR "The qlite authors")
set(CPACK_PACKAGE_CONTACT "The qlite authors <qlite@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development)
if(QLITE_BUILD_EXAMPLES)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libqlite${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libqlite-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libqlite${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION})")
if(NOT QLITE_SELF_CONTAINED)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
         ", libabsl-dev, libprotobuf-dev, libjpeg-dev, libpng-dev")
endif()
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME qlite-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
include(CPack)
