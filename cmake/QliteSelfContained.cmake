# Third-party code that goes into the library itself, position-independent and hidden. Only the parts that something links
# are built.
foreach(source abseil protobuf libpng libjpeg)
  if(NOT EXISTS ${QLITE_SOURCES}/${source})
    message(FATAL_ERROR "QLITE_SOURCES must name the folder that scripts/fetch_sources filled (found '${QLITE_SOURCES}')")
  endif()
endforeach()
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # options of older projects keep the values set here
set(BUILD_SHARED_LIBS OFF)
set(BUILD_TESTING OFF)
# Much of these libraries is left out by the linker. The flags are theirs alone, so that a compiler cache knows our own objects.
set(QLITE_OWN_CXX_FLAGS "${CMAKE_CXX_FLAGS}")
string(APPEND CMAKE_CXX_FLAGS " -ffunction-sections -fdata-sections")
set(QLITE_OWN_UNITY_BUILD "${CMAKE_UNITY_BUILD}")
set(CMAKE_UNITY_BUILD OFF)  # their sources are not made to be compiled together
add_link_options(-Wl,--gc-sections)

set(ABSL_PROPAGATE_CXX_STD ON)
set(ABSL_ENABLE_INSTALL OFF)
add_subdirectory(${QLITE_SOURCES}/abseil third_party/abseil EXCLUDE_FROM_ALL SYSTEM)

if(QLITE_ONNX)
  set(protobuf_BUILD_TESTS OFF)
  set(protobuf_BUILD_PROTOC_BINARIES OFF)
  set(protobuf_BUILD_LIBPROTOC OFF)
  set(protobuf_BUILD_SHARED_LIBS OFF)
  set(protobuf_INSTALL OFF)
  set(protobuf_WITH_ZLIB OFF)
  add_subdirectory(${QLITE_SOURCES}/protobuf third_party/protobuf EXCLUDE_FROM_ALL SYSTEM)
  find_program(QLITE_PROTOC protoc REQUIRED)
  add_executable(protobuf::protoc IMPORTED)
  set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION ${QLITE_PROTOC})
  list(APPEND QLITE_THIRD_PARTY protobuf::libprotobuf-lite)
endif()

set(CMAKE_CXX_FLAGS "${QLITE_OWN_CXX_FLAGS}")

if(QLITE_IMAGES)
  # libpng's own build makes much more than the library; its configuration is the one that it comes with.
  file(GLOB QLITE_PNG_FILES ${QLITE_SOURCES}/libpng/png*.c)
  list(FILTER QLITE_PNG_FILES EXCLUDE REGEX "pngtest\\.c$")
  set(QLITE_PNG_DIR ${PROJECT_BINARY_DIR}/third_party/libpng)
  configure_file(${QLITE_SOURCES}/libpng/scripts/pnglibconf.h.prebuilt ${QLITE_PNG_DIR}/pnglibconf.h COPYONLY)
  find_library(QLITE_ZLIB_FILE libz.a REQUIRED)
  add_library(qlite_png STATIC EXCLUDE_FROM_ALL ${QLITE_PNG_FILES})
  target_include_directories(qlite_png SYSTEM PRIVATE ${QLITE_PNG_DIR} ${QLITE_SOURCES}/libpng)
  target_compile_definitions(qlite_png PRIVATE PNG_INTEL_SSE_OPT=0 PNG_ARM_NEON_OPT=0)
  target_compile_options(qlite_png PRIVATE -w)
  target_link_libraries(qlite_png PRIVATE ${QLITE_ZLIB_FILE} m)

  # libjpeg-turbo does not want to be a part of another build.
  include(ExternalProject)
  set(QLITE_JPEG_DIR ${PROJECT_BINARY_DIR}/third_party/libjpeg)
  ExternalProject_Add(
    qlite_jpeg_build
    SOURCE_DIR ${QLITE_SOURCES}/libjpeg
    BINARY_DIR ${QLITE_JPEG_DIR}
    CMAKE_ARGS -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_VISIBILITY_PRESET=hidden
               -DENABLE_SHARED=OFF -DWITH_SIMD=OFF -DWITH_TURBOJPEG=OFF
    BUILD_COMMAND ${CMAKE_COMMAND} --build ${QLITE_JPEG_DIR} --target jpeg-static
    BUILD_BYPRODUCTS ${QLITE_JPEG_DIR}/libjpeg.a
    INSTALL_COMMAND "" EXCLUDE_FROM_ALL ON)
  add_library(qlite_jpeg STATIC IMPORTED)
  set_target_properties(qlite_jpeg PROPERTIES IMPORTED_LOCATION ${QLITE_JPEG_DIR}/libjpeg.a)
  add_dependencies(qlite_jpeg qlite_jpeg_build)
  list(APPEND QLITE_THIRD_PARTY qlite_jpeg qlite_png)
endif()
set(CMAKE_UNITY_BUILD "${QLITE_OWN_UNITY_BUILD}")
