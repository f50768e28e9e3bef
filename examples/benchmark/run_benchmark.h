// One benchmark: accuracy over pictures, comparison with a golden file, or latency.
#ifndef QLITE_EXAMPLES_BENCHMARK_RUN_BENCHMARK_H_
#define QLITE_EXAMPLES_BENCHMARK_RUN_BENCHMARK_H_

#include "absl/status/statusor.h"
#include "benchmark/benchmark_request.h"
#include "benchmark/report.h"

namespace qlite::cli {

// Prints as it goes. An accuracy beyond its threshold is an error whose message is the reference's.
absl::StatusOr<BenchmarkReport> RunBenchmark(const BenchmarkRequest& request);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_RUN_BENCHMARK_H_
