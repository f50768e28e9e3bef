// Relu, Clip and their spellings into the clamp of the operator before them.
#ifndef QLITE_PASSES_ACTIVATION_FUSION_H_
#define QLITE_PASSES_ACTIVATION_FUSION_H_

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// Min and Max with a scalar constant become Clip. Relu and Clip behind an operator that can clamp, another Clip or a
// Relu, as its only reader, join it. Returns the number of nodes fused or rewritten.
absl::StatusOr<int> FuseActivations(Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_ACTIVATION_FUSION_H_
