// Reads ONNX model files, opsets 7 to 21.
#ifndef QLITE_FORMATS_ONNX_ONNX_READER_H_
#define QLITE_FORMATS_ONNX_ONNX_READER_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "qlite/tensor.h"

namespace qlite {

struct OnnxReadOptions {
  Limits limits;
  // Fixes the shapes of graph inputs by name, as Graph::InferShapes does. What decides how often a Loop runs, or which
  // branch an If takes, must follow from constants and known shapes: where it depends on an input's unknown extents,
  // they can be given here.
  std::map<std::string, std::vector<int64_t>> input_shapes = {};
  // Turn DequantizeLinear -> op -> QuantizeLinear into integer operators (formats/onnx/fold_qdq.h). Without it such a
  // file gives a float graph with Quantize and Dequantize nodes.
  bool fold_quantization = true;
};

// The graph of an ONNX file, validated and with shapes inferred as far as they are known.
//
// `file` holds the file's bytes, usually memory-mapped; they are not needed once this returns. `model_path` is where
// they came from: it stands in messages, and its folder is where external data may lie; empty for a model that is in
// memory only. The operators' differences between opsets are normalised to the meaning that qlite/ops.h gives: inputs
// that must be constant become attributes, older forms are rewritten, Constant and Dropout nodes vanish, loops are
// unrolled, of an If the branch taken remains, and sequences become the values they hold. Values of half precision,
// bfloat16 and double are computed in float32. Quantized uint8 values become int8 with the zero point less 128.
//
// Errors name the file and the node or value. kInvalidArgument: the file is not whole or not right. kUnimplemented: it
// uses what is not supported; operators are listed all at once. kResourceExhausted: a limit. kPermissionDenied:
// external data outside the folder. Thread-safe.
absl::StatusOr<Graph> ReadOnnx(const Buffer& file, const std::string& model_path, const OnnxReadOptions& options = {});

}  // namespace qlite

#endif  // QLITE_FORMATS_ONNX_ONNX_READER_H_
