# Compile options shared by every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)  # what the shared library exports is written in cmake/qlite.map
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
find_program(QLITE_CCACHE ccache)
if(QLITE_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${QLITE_CCACHE})
endif()

add_library(qlite_options INTERFACE)
# Contraction would let the compiler fuse a*b+c where it likes, and results would differ between instruction sets.
target_compile_options(qlite_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                       -ffp-contract=off)
if(QLITE_WERROR)
  target_compile_options(qlite_options INTERFACE -Werror)
endif()
# GCC 12 forgets that a precompiled header of the system's is one, and warns of its strings (GCC bug 105651).
set(QLITE_PRECOMPILED_OPTIONS $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
if(QLITE_PRECOMPILE STREQUAL "ALL")
  target_compile_options(qlite_options INTERFACE ${QLITE_PRECOMPILED_OPTIONS})
endif()
if(CMAKE_UNITY_BUILD)  # several sources in one are no header, but GCC takes them for some
  target_compile_options(qlite_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(QLITE_SANITIZE)
  # Three checks of pointers make up a sixth of the time to compile, and find little where addresses are watched as well.
  target_compile_options(qlite_options INTERFACE -fsanitize=${QLITE_SANITIZE} -fno-sanitize=null,vptr,object-size
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(qlite_options INTERFACE -fsanitize=${QLITE_SANITIZE})
endif()
if(QLITE_BUILD_FUZZERS)
  target_compile_options(qlite_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What QLITE_PRECOMPILE precompiles.
set(QLITE_COMMON_HEADERS <algorithm> <cmath> <cstdint> <cstring> <limits> <map> <memory> <optional> <span> <string> <utility>
    <vector> <absl/status/status.h> <absl/status/statusor.h> <absl/strings/str_join.h>
    ${PROJECT_SOURCE_DIR}/include/qlite/graph.h ${PROJECT_SOURCE_DIR}/src/core/str_cat.h)
if(QLITE_PARSE_ONLY)  # what is looked for is missing includes of our own: nearly all sources have this one of graph.h
  set(QLITE_COMMON_HEADERS <absl/status/statusor.h>)
endif()
