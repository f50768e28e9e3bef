// Which function lowers an operator, and whether it can run on int8 activations.
#ifndef QLITE_RUNTIME_STEPS_REGISTRY_H_
#define QLITE_RUNTIME_STEPS_REGISTRY_H_

#include "qlite/graph.h"
#include "qlite/ops.h"
#include "runtime/lowering.h"

namespace qlite {

// A new operator is one line in registry.cc and one function in a file of this folder.
struct StepEntry {
  LowerFunction lower = nullptr;
  // Whether the node, as it stands in a float or a quantized graph, has an integer step.
  bool (*integer)(const Graph& graph, const Node& node) = nullptr;
};

const StepEntry& FindStep(OpType op);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_REGISTRY_H_
