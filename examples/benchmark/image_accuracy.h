// Accuracy of a classifier over a folder of labelled pictures, alone or beside another model.
#ifndef QLITE_EXAMPLES_BENCHMARK_IMAGE_ACCURACY_H_
#define QLITE_EXAMPLES_BENCHMARK_IMAGE_ACCURACY_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "benchmark/benchmark_request.h"
#include "benchmark/output_difference.h"
#include "qlite/session.h"

namespace qlite::cli {

// Of one model: pictures whose label is the first choice, or among the first five.
struct ClassCounts {
  int64_t top1 = 0, top5 = 0;
};

// The model's accuracy less the other's on the same pictures, with the half width of its 95 % confidence interval from
// the paired differences of single pictures (normal approximation).
struct AccuracyDifference {
  double difference = 0, half_width = 0;
};

struct ImageAccuracy {
  int64_t images = 0;
  ClassCounts model;
  Float16Use float16 = Float16Use::kNone;  // of the model
  // Only with --compareModel.
  std::optional<ClassCounts> other;
  std::optional<AccuracyDifference> top1_difference;
  std::optional<OutputDifference> outputs;  // the other model is the reference

  double Share(int64_t count) const {
    return images == 0 ? 0 : static_cast<double>(count) / static_cast<double>(images);
  }
};

// Runs the model's first output over the pictures of --labelFile, spread over the threads; results do not depend on
// their number. The output holds one score for each class; a label beyond it is an error.
absl::StatusOr<ImageAccuracy> MeasureImageAccuracy(const BenchmarkRequest& request);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_IMAGE_ACCURACY_H_
