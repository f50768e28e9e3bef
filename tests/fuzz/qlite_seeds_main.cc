// Writes the seed corpus of the .qlite reader's harness: qlite_fuzz_seeds FOLDER makes FOLDER/qlite/*.qlite.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "formats/qlite/qlite_writer.h"
#include "formats/random_graph.h"

namespace {

bool Write(const std::filesystem::path& path, const qlite::Graph& graph) {
  const absl::StatusOr<std::string> bytes = qlite::WriteQlite(graph);
  if (!bytes.ok()) return false;
  std::ofstream file(path, std::ios::binary);
  return static_cast<bool>(file << *bytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 1;
  }
  const std::filesystem::path folder = std::filesystem::path(argv[1]) / "qlite";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  bool written = Write(folder / "empty.qlite", qlite::Graph());
  written &= Write(folder / "small.qlite", qlite::testing::SmallNetwork());
  for (uint32_t seed = 0; seed < 4; ++seed) {
    written &= Write(folder / ("random" + std::to_string(seed) + ".qlite"), qlite::testing::RandomGraph(seed).Make());
  }
  if (!written) std::fprintf(stderr, "%s: cannot be written\n", folder.c_str());
  return written ? 0 : 1;
}
