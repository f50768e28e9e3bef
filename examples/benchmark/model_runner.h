// A model ready to run, with its inputs from files or made at random.
#ifndef QLITE_EXAMPLES_BENCHMARK_MODEL_RUNNER_H_
#define QLITE_EXAMPLES_BENCHMARK_MODEL_RUNNER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark_request.h"
#include "qlite/calibrator.h"
#include "qlite/context.h"
#include "qlite/session.h"

namespace qlite::cli {

struct LoadedModel {
  // Its outputs are the values before a final Softmax where those were asked for.
  std::unique_ptr<Session> session;
  absl::StatusOr<std::vector<InputSpec>> inputs;  // an error where their shapes stay unknown
  double prepare_ms = 0;                          // reading and building
};

absl::StatusOr<Context> MakeBenchmarkContext(const BenchmarkRequest& request, int64_t threads);

// Reads `path` and builds its session with the request's shapes and, where asked for, float16.
absl::StatusOr<LoadedModel> LoadForBenchmark(const Context& context, const std::string& path,
                                             const BenchmarkRequest& request);

// Fills the inputs: from the request's files, whose sizes must be exact, or with the reference's ranges of random
// numbers (floats uniform in [0.1, 1), int8 in [-127, 127], uint8 in [0, 254], wider integers 0 or 1) from a fixed
// seed.
absl::Status FillInputs(const BenchmarkRequest& request, Session& session);

// The element as a number, for any numeric or boolean tensor; index < element count.
double ElementAsNumber(const TensorView& tensor, size_t index);
size_t ElementCountOf(const TensorView& tensor);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_MODEL_RUNNER_H_
