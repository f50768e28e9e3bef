// Which nodes the runtime can execute on int8 activations.
#ifndef QLITE_RUNTIME_INTEGER_SUPPORT_H_
#define QLITE_RUNTIME_INTEGER_SUPPORT_H_

#include "qlite/graph.h"

namespace qlite {

// Whether `node` of a float or a quantized graph can run with int8 activations, judged from its operator, attributes
// and which of its inputs are constant; shapes should have been inferred. Nodes for which this is false stay in float.
bool HasIntegerStep(const Graph& graph, const Node& node);

}  // namespace qlite

#endif  // QLITE_RUNTIME_INTEGER_SUPPORT_H_
