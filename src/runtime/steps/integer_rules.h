// The conditions under which operators run on int8 activations.
#ifndef QLITE_RUNTIME_STEPS_INTEGER_RULES_H_
#define QLITE_RUNTIME_STEPS_INTEGER_RULES_H_

#include "qlite/graph.h"

namespace qlite::integer_rules {

bool Always(const Graph& graph, const Node& node);
bool Never(const Graph& graph, const Node& node);
// Weights (input 1) and bias (input 2), where there is one, are constant.
bool ConstantWeights(const Graph& graph, const Node& node);
// ConstantWeights, alpha = beta = 1, A not transposed, and a bias of one element a column.
bool PlainGemm(const Graph& graph, const Node& node);
// B is a constant matrix of rank 2, the bias constant.
bool ConstantMatrix(const Graph& graph, const Node& node);
// No second output (the positions of the maxima).
bool SingleOutput(const Graph& graph, const Node& node);
// The mean over all spatial dimensions of a value of rank 3 or 4.
bool SpatialMean(const Graph& graph, const Node& node);
// Resize without interpolation.
bool NearestResize(const Graph& graph, const Node& node);

}  // namespace qlite::integer_rules

#endif  // QLITE_RUNTIME_STEPS_INTEGER_RULES_H_
