// Bounds of a value that follow from the operators that make it, whatever the network's input.
#ifndef QLITE_PASSES_VALUE_BOUNDS_H_
#define QLITE_PASSES_VALUE_BOUNDS_H_

#include "qlite/graph.h"

namespace qlite {

// [min, max], perhaps infinite. Follows activations and clamps through operators that only move or average elements.
FusedClamp KnownBounds(const Graph& graph, ValueId id);

}  // namespace qlite

#endif  // QLITE_PASSES_VALUE_BOUNDS_H_
