// Element types and constant tensors of ONNX files.
#ifndef QLITE_FORMATS_ONNX_ONNX_TENSOR_H_
#define QLITE_FORMATS_ONNX_ONNX_TENSOR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "formats/onnx/external_data.h"
#include "formats/onnx/onnx.pb.h"
#include "qlite/context.h"
#include "qlite/tensor.h"
#include "qlite/types.h"

namespace qlite::onnx {

// What zero points of UINT8 and UINT4 lie above those of the same values as INT8 and INT4.
inline constexpr int32_t kUint8Shift = 128, kUint4Shift = 8;

// "FLOAT", "INT4", ...; "data type 99" for a number that the standard does not have.
std::string DataTypeName(int32_t data_type);

// The element type that stands for an ONNX data type in a Graph: half precision, bfloat16 and double become float32.
// kUnimplemented, naming the type, for the others that a Graph has not.
absl::StatusOr<ElementType> ElementTypeFromOnnx(int32_t data_type);

// TensorProto.DataType of an element type; UNDEFINED for kUndefined.
onnx_schema::TensorProto::DataType DataTypeToOnnx(ElementType type);

// The tensor's value as a constant. Its raw bytes are moved out of `proto`, not copied, where type and alignment allow;
// numbers of half precision, bfloat16 and double are converted to float32. Dimensions are checked against the bytes
// that are there before memory is taken. Errors do not name the tensor: the caller knows it.
// `data`: takes the place of raw data in `proto`, or null.
absl::StatusOr<Tensor> ReadTensor(onnx_schema::TensorProto& proto, ExternalData& external, const Limits& limits,
                                  const Buffer* data = nullptr);

// Bits of an element where several share a byte, 0 for other types. ReadTensor gives each a byte of its own.
int PackedBits(int32_t data_type);

// `tensor` under `name`, with its bytes as raw data.
void WriteTensor(std::string_view name, const Tensor& tensor, onnx_schema::TensorProto& proto);
// The same of int8 numbers within [-8, 7] as INT4, of uint8 numbers up to 15 as UINT4: two to a byte, the first in the
// lower half.
void Write4BitTensor(std::string_view name, const Tensor& tensor, onnx_schema::TensorProto& proto);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_ONNX_TENSOR_H_
