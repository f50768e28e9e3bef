// Golden output files, and the reference's measures of how far a model's outputs are from them.
#ifndef QLITE_EXAMPLES_BENCHMARK_GOLDEN_FILE_H_
#define QLITE_EXAMPLES_BENCHMARK_GOLDEN_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/tensor.h"

namespace qlite::cli {

struct GoldenTensor {
  std::string name;
  std::vector<int64_t> dims;
  std::vector<double> values;
};

// The text form: for each output a line "<name> <rank> <d0> <d1> ..." and a line of all values, blank separated. A
// dimension of 0, too few or too many values, or text that is no number is an error that names the line.
absl::StatusOr<std::vector<GoldenTensor>> ParseGolden(std::string_view text, const std::string& path);
absl::StatusOr<std::vector<GoldenTensor>> ReadGoldenFile(const std::string& path);

// The extents are equal, trailing ones aside.
bool SameShape(std::span<const int64_t> a, std::span<const int64_t> b);

// The reference's mean bias, as a fraction: among elements that differ by more than 1e-8 + 1e-5 |r|, the mean of the
// relative error (of the absolute one where |r| < 1.19e-7, counted only above 1e-5); 0 where none differs. An error
// where the result is not finite.
absl::StatusOr<double> MeanBias(const GoldenTensor& golden, const TensorView& result);

// Cosine of the angle between the two; 1 for two zero vectors, 0 for a zero and a non-zero one.
double CosineSimilarity(const GoldenTensor& golden, const TensorView& result);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_GOLDEN_FILE_H_
