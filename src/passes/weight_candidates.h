// The constants that a weight quantization looks at.
#ifndef QLITE_PASSES_WEIGHT_CANDIDATES_H_
#define QLITE_PASSES_WEIGHT_CANDIDATES_H_

#include <vector>

#include "qlite/graph.h"

namespace qlite {

// A float32 constant of two dimensions or more that Conv, ConvTranspose, Gemm, MatMul, LSTM, GRU or Gather reads.
struct WeightCandidate {
  ValueId value;
  NodeId reader;                // the first one in topological order
  std::vector<NodeId> readers;  // of those operators
  int64_t channel_axis = -1;    // the output channels; -1: the readers differ
  int64_t reduction_axis = -1;  // what products sum over, of a Gather the last dimension; -1: the readers differ
  bool convolution = false;     // a convolution reads it
};

// All of them, in the order of their first readers.
std::vector<WeightCandidate> FindWeightCandidates(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_PASSES_WEIGHT_CANDIDATES_H_
