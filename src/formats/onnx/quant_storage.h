// How the writer stores integer values.
#ifndef QLITE_FORMATS_ONNX_QUANT_STORAGE_H_
#define QLITE_FORMATS_ONNX_QUANT_STORAGE_H_

#include <vector>

#include "absl/status/status.h"
#include "qlite/graph.h"

namespace qlite::onnx {

// The value has integers that stand for real numbers: the writer puts Q/DQ nodes around it.
bool IsQuantized(const Value& value);

// The node works on the integers themselves, not on the numbers that they stand for, and is written as it is.
bool ReadsIntegers(const Graph& graph, const Node& node);

// The node moves quantized elements without changing them, and ONNX lets it do so on the integers.
bool MovesIntegers(const Graph& graph, const Node& node);

// The integer that a quantized Pad fills in: its value input, which is a real number or an int8, by default the real 0.
int32_t QuantizedFill(const Graph& graph, const Node& node);

// For every value slot whether its int8 integers are stored without a sign, the zero point raised by as much: by 128 as
// UINT8, by 8 as UINT4. Weights where their parameters are asymmetric; other quantized values where
// `uint8_activations`. Never inputs and outputs of the graph, and those that a node reads as integers; nor the weights
// of integer products.
std::vector<char> StoredUnsigned(const Graph& graph, bool uint8_activations);

// The constant has integers of at most 4 bits: the writer packs two into a byte (INT4, UINT4).
bool StoredIn4Bits(const Value& value);

// The opset that the value's integers need: 21 for INT4, UINT4, INT16 and blocks, otherwise 0.
int64_t OpsetOfStorage(const Value& value);

// The quantization can be written as QuantizeLinear and DequantizeLinear; kUnimplemented names the value. Constants may
// have any width that their element type holds.
absl::Status CheckQuantization(const Value& value);

// QuantizeLinear to the parameters of a quantized value maps every number outside the clamp to where it maps the
// clamp's nearest bound, so that the clamp changes nothing.
bool ImpliedByQuantization(const FusedClamp& clamp, const QuantParams& params);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_QUANT_STORAGE_H_
