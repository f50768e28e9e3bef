// Integer weights that a program does not decode: which they are, and how they get into the form of the kernels.
#ifndef QLITE_RUNTIME_CODED_WEIGHTS_H_
#define QLITE_RUNTIME_CODED_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/conv_coded.h"
#include "qlite/context.h"
#include "qlite/graph.h"

namespace qlite {

// The constant of a Dequantize node and its parameters, by the value that products read.
struct CodedWeight {
  Tensor integers;  // int8
  QuantParams quant;
  kernels::CodedForm form;
  int64_t readers = 0;  // products that have not packed it yet; integers and parameters are given up behind the last
};
using CodedWeights = std::map<ValueId, CodedWeight>;

// Which Dequantize nodes of constants need not be computed, since products alone read them, in forms that the kernels
// know.
struct CodedPlan {
  std::vector<NodeId> nodes;
  std::vector<std::string> decoded;  // of the other such nodes: "'weight': why"
};

// `graph`: every shape inferred.
CodedPlan PlanCodedWeights(const Graph& graph);

// The readers of the plan's weights, ascending. They sum in the same order in whichever form the weights reach them.
std::vector<NodeId> ProductsOfIntegers(const Graph& graph, const CodedPlan& plan);

// Takes the nodes and their constants out of the graph: what products read is a value that nothing produces.
CodedWeights TakeCodedWeights(Graph& graph, const std::vector<NodeId>& nodes);

// How the weights of a convolution (kernels/conv_coded.h) lie in a constant, in elements. Its first dimension runs over
// output channels, or over the channels of a single group.
struct CodedLayout {
  bool outputs_first = true;
  int64_t out_stride = 0, in_stride = 0, tap_stride = 0;
};

// Packs the weight for one reader, piece by piece of its outputs and stripe by stripe on several threads: beside what
// is packed so far, memory is needed for the parameters of what is not, and for one stripe a thread. `packed` has
// packed_bytes() bytes.
void PackCodedWeight(const kernels::ConvCodedKernels& kernels, const kernels::ConvF32Geometry& geometry,
                     const CodedLayout& layout, Executor& executor, CodedWeight& weight, std::byte* packed,
                     int64_t piece_elements = int64_t{1} << 26);

}  // namespace qlite

#endif  // QLITE_RUNTIME_CODED_WEIGHTS_H_
