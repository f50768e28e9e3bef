// Equal constants held once.
#ifndef QLITE_PASSES_CONSTANT_SHARING_H_
#define QLITE_PASSES_CONSTANT_SHARING_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Replaces constants of equal type, extents, bytes and quantization by the first of them. Returns the number replaced.
absl::StatusOr<int> ShareConstants(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_CONSTANT_SHARING_H_
