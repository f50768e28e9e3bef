// Writes Graphs as ONNX files.
#ifndef QLITE_FORMATS_ONNX_ONNX_WRITER_H_
#define QLITE_FORMATS_ONNX_ONNX_WRITER_H_

#include <string>

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

struct OnnxWriteOptions {
  // Integer activations are stored as uint8 with the zero point raised by 128, for which onnxruntime has its fastest
  // kernels, or as the int8 that the graph has. Weights are int8 and biases int32 in either case, and integer inputs
  // and outputs of the graph keep their type.
  bool uint8_activations = true;
};

// The bytes of an ONNX file with the lowest opset, 13 or above, that expresses the graph.
//
// Integer operators are written as onnxruntime's quantizer does, for its fusion to find: a DequantizeLinear before
// every input of the operator (int8 weights with their per-channel axis, int32 biases with the accumulator's scale),
// the operator in float, a QuantizeLinear behind it; a float result has none. A fused clamp becomes Relu or Clip;
// between integers it is left out where the bounds of the quantized result are those of the clamp, and else follows as
// an integer stage of its own. The integer value keeps its name; the float ones around it are named after it. Metadata
// become metadata_props.
//
// The same graph and options give the same bytes everywhere. ReadOnnx gives the graph back: the same operators,
// attributes, constants and parameters, save that a fused clamp of a float operator, and MatMul's bias, are nodes.
// kInvalidArgument for a graph that is not valid; kUnimplemented, naming the value, for what ONNX cannot express (bits
// other than 8, blocks); kResourceExhausted beyond ONNX's 2 GiB.
absl::StatusOr<std::string> WriteOnnx(const Graph& graph, const OnnxWriteOptions& options = {});

}  // namespace qlite

#endif  // QLITE_FORMATS_ONNX_ONNX_WRITER_H_
