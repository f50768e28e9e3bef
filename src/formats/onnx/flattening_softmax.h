// Softmax and LogSoftmax as they were before opset 13.
#ifndef QLITE_FORMATS_ONNX_FLATTENING_SOFTMAX_H_
#define QLITE_FORMATS_ONNX_FLATTENING_SOFTMAX_H_

#include "absl/status/status.h"
#include "formats/onnx/import_state.h"

namespace qlite::onnx {

// Gives the nodes in `softmaxes`, which stand in `graph` with their old axis, the meaning they had: normalised over all
// dimensions from the axis on. Where all of these but one have extent 1, that one is the axis; else the node is wrapped
// in Flatten and Reshape. Shapes must have been inferred as far as they are known; those of new values are set.
absl::Status RewriteFlatteningSoftmaxes(Graph& graph, const std::vector<FlatteningSoftmax>& softmaxes);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_FLATTENING_SOFTMAX_H_
