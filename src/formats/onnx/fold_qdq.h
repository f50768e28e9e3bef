// From "dequantize, compute in float, quantize" to computing in integers.
#ifndef QLITE_FORMATS_ONNX_FOLD_QDQ_H_
#define QLITE_FORMATS_ONNX_FOLD_QDQ_H_

#include "absl/status/status.h"
#include "qlite/graph.h"

namespace qlite::onnx {

// Turns every pattern of Dequantize nodes, an operator and a Quantize node whose meaning an integer operator has into
// that operator, and removes the Quantize and Dequantize nodes that are then left over. Conv, ConvTranspose, Gemm and
// MatMul need int8 weights with zero point 0 and, where they have a bias, an int32 one with the scale that
// qlite/graph.h asks for (to one part in 10^4, as other writers compute it in their own precision); they may end in
// float. Whatever does not fit stays as it is. Shapes must have been inferred; they stay so.
absl::Status FoldQuantization(Graph& graph);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_FOLD_QDQ_H_
