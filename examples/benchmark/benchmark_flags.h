// The benchmark's command line: the reference's flags for the CPU, and our own.
#ifndef QLITE_EXAMPLES_BENCHMARK_BENCHMARK_FLAGS_H_
#define QLITE_EXAMPLES_BENCHMARK_BENCHMARK_FLAGS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark_request.h"

namespace qlite::cli {

struct BenchmarkCommand {
  bool help = false;
  std::string usage;
  // "Name = value" of the settings that are printed first, in the reference's order.
  std::vector<std::pair<std::string, std::string>> settings;
  BenchmarkRequest request;
};

// A flag whose feature does not exist here is refused by name unless it has its default.
absl::StatusOr<BenchmarkCommand> ReadBenchmarkCommand(int argc, const char* const* argv);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_BENCHMARK_FLAGS_H_
