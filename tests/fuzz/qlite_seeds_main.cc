// Writes the seed corpora of the .qlite reader's harness and of that for weights: qlite_fuzz_seeds FOLDER makes
// FOLDER/qlite/*.qlite and FOLDER/weights/*.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "formats/qlite/encoding/weight_encoding.h"
#include "formats/qlite/qlite_writer.h"
#include "formats/random_graph.h"
#include "formats/random_weights.h"

namespace {

bool WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  return static_cast<bool>(file << bytes);
}

bool Write(const std::filesystem::path& path, const qlite::Graph& graph, bool smallest_weights = false) {
  const absl::StatusOr<std::string> bytes = qlite::WriteQlite(graph, {.smallest_weights = smallest_weights});
  return bytes.ok() && WriteBytes(path, *bytes);
}

// Streams behind the 6 bytes that weights_fuzz.cc reads first, in every form.
bool WriteWeights(const std::filesystem::path& folder) {
  qlite::testing::RandomGraph random(1);
  bool written = true;
  for (const int bits : {1, 4, 8, 13}) {
    for (const qlite::testing::Spread spread : qlite::testing::kSpreads) {
      for (const int64_t count : {40, 1500}) {
        const qlite::Tensor weights = qlite::testing::RandomWeights(random, {count}, bits, spread);
        for (int form = 1; form < qlite::EnumCount(qlite::WeightForm{}); ++form) {
          const qlite::EncodedWeights encoded = qlite::EncodeWeightsAs(static_cast<qlite::WeightForm>(form), weights,
                                                                       qlite::QuantParams::PerTensor(1.0f, 0));
          if (encoded.encoding.form == qlite::WeightForm::kRaw) continue;
          std::string bytes = {static_cast<char>(form - 1),   static_cast<char>(encoded.encoding.width),
                               static_cast<char>(bits > 8),   static_cast<char>(count & 0xff),
                               static_cast<char>(count >> 8), '\0'};
          bytes.append(reinterpret_cast<const char*>(encoded.bytes.data()), encoded.bytes.size());
          const std::string name = std::to_string(form) + "_" + std::to_string(bits) + "_" +
                                   std::to_string(static_cast<int>(spread)) + "_" + std::to_string(count);
          written &= WriteBytes(folder / name, bytes);
        }
      }
    }
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 1;
  }
  const std::filesystem::path folder = std::filesystem::path(argv[1]) / "qlite";
  const std::filesystem::path weights = std::filesystem::path(argv[1]) / "weights";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::create_directories(weights, error);
  bool written = Write(folder / "empty.qlite", qlite::Graph());
  written &= Write(folder / "small.qlite", qlite::testing::SmallNetwork());
  for (uint32_t seed = 0; seed < 4; ++seed) {
    written &= Write(folder / ("random" + std::to_string(seed) + ".qlite"), qlite::testing::RandomGraph(seed).Make());
  }
  written &= Write(folder / "encoded.qlite", qlite::testing::RandomGraph(4).Make(), /*smallest_weights=*/true);
  written &= WriteWeights(weights);
  if (!written) std::fprintf(stderr, "%s: cannot be written\n", folder.c_str());
  return written ? 0 : 1;
}
