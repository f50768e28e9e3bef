# Third-party libraries, all of them Debian packages (scripts/packages.txt). A self-contained build takes Abseil and protobuf
# as sources (scripts/fetch_sources), because the static libraries of the packages cannot go into a shared one, and the
# others as static libraries or headers.
find_package(Threads REQUIRED)
find_package(FlatBuffers CONFIG REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(xsimd REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

if(QLITE_SELF_CONTAINED)
  include(QliteSelfContained)
else()
  find_package(absl REQUIRED)
  find_package(Protobuf REQUIRED)
  set(QLITE_THIRD_PARTY protobuf::libprotobuf-lite JPEG::JPEG PNG::PNG Threads::Threads)
endif()
