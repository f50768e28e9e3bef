// Which nodes a program executes as part of another node's step. Results keep their bits: a fused step rounds where the
// separate ones would.
#ifndef QLITE_RUNTIME_FUSION_PLAN_H_
#define QLITE_RUNTIME_FUSION_PLAN_H_

#include <optional>
#include <vector>

#include "qlite/graph.h"

namespace qlite {

// What the step of a node does besides the node.
struct NodeFusion {
  bool absorbed = false;      // has no step of its own
  ValueId output;             // what the step makes: the first output, or that of the last node it absorbed
  FusedClamp clamp;           // applied last
  ValueId residual;           // added before the clamp; invalid for none
  NodeId addition;            // the Add that adds it
  bool waits = false;         // absorbed by a node that comes later
  std::vector<NodeId> chain;  // elementwise nodes applied before this one, in order: each waits for it
  ValueId byte;               // the chain and the node are a function of this int8 value alone; invalid otherwise
};

// The channels of a concatenation that a value makes up.
struct ConcatSlice {
  ValueId concat;  // the concatenation's result
  int64_t first_channel = 0;
};

struct FusionPlan {
  std::vector<NodeFusion> nodes;                   // by node index
  std::vector<std::optional<ConcatSlice>> slices;  // by value index: values that may be written where they are joined
};

// `order` is the graph's topological order; shapes are static. Without `fuse`, every node has its own step and every
// value its own memory.
//  - Relu and Clip join the clamp of the node before them, where nothing else reads that node's result.
//  - An Add of float or of int8 values joins the convolution that makes one of its operands, where the other exists by
//    then. (An integer depthwise convolution stays alone.)
//  - Operators that together are a function of one byte (byte_functions.h) become a table.
//  - Elementwise float operators, with their clamps, join the one that alone reads their result, where that has the
//    same shape: what lies between them is never a tensor.
//  - Results of convolutions and poolings that are only joined along the channels are written in place.
FusionPlan PlanFusion(const Graph& graph, const std::vector<NodeId>& order, bool fuse);

}  // namespace qlite

#endif  // QLITE_RUNTIME_FUSION_PLAN_H_
