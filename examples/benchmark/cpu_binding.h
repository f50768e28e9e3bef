// Binds the process to processor cores.
#ifndef QLITE_EXAMPLES_BENCHMARK_CPU_BINDING_H_
#define QLITE_EXAMPLES_BENCHMARK_CPU_BINDING_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace qlite::cli {

// To the listed cores, or where none are listed by `mode`: 0 not at all, 1 to the first `threads` cores that the
// process may use, 2 to the last ones. Call before threads are made. An unavailable core is an error.
absl::Status BindToCores(int64_t mode, int64_t threads, const std::vector<int>& cores);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_CPU_BINDING_H_
