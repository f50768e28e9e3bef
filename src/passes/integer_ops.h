// How each operator takes part in an integer region.
#ifndef QLITE_PASSES_INTEGER_OPS_H_
#define QLITE_PASSES_INTEGER_OPS_H_

#include <vector>

#include "qlite/graph.h"

namespace qlite {

enum class IntegerRole {
  kNone,        // stays float
  kProduct,     // int8 times constant int8 weights: the reason to have integer regions at all
  kArithmetic,  // its result has quantization parameters of its own
  kMovement,    // its results are elements of its input, or lie between them: they share the input's parameters
  kConcat,      // its inputs share the result's parameters where that costs nothing
};

IntegerRole RoleOf(OpType op);

// The activations that the node computes with; the other inputs are weights, shapes, indices.
std::vector<ValueId> DataInputs(const Node& node);

}  // namespace qlite

#endif  // QLITE_PASSES_INTEGER_OPS_H_
