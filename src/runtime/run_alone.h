// Executes a small graph once, on the calling thread.
#ifndef QLITE_RUNTIME_RUN_ALONE_H_
#define QLITE_RUNTIME_RUN_ALONE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/lowering.h"

namespace qlite {

// The outputs. `input` are the bytes of the graph's only input; empty where it has none.
absl::StatusOr<std::vector<Tensor>> RunAlone(const Graph& graph, const LoweringOptions& options,
                                             std::span<const std::byte> input = {});

}  // namespace qlite

#endif  // QLITE_RUNTIME_RUN_ALONE_H_
