// How each operator is written: the opset that it needs, its attributes, and the inputs that hold what a Graph keeps in
// attributes. A new operator is one function, where it has attributes, and one line in exporters.cc.
#ifndef QLITE_FORMATS_ONNX_EXPORTERS_H_
#define QLITE_FORMATS_ONNX_EXPORTERS_H_

#include "formats/onnx/node_writer.h"

namespace qlite::onnx {

// The first opset, 13 or above, in which the node can be expressed. Shapes should have been inferred.
int64_t OpsetNeeded(const Graph& graph, const Node& node);

// Writes what follows the operator's name, the inputs of the graph and the outputs. Fused clamps are not written here.
void WriteAttributes(NodeWriter& writer);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_EXPORTERS_H_
