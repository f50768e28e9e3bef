#include "formats/onnx/onnx_tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

using onnx_schema::TensorProto;

struct TypeRow {
  TensorProto::DataType onnx;
  std::string_view name;
  ElementType stored;  // how the bytes are stored; kUndefined: not supported
  ElementType read;    // what the constant becomes
};

// FLOAT16 and BFLOAT16 share the two-byte storage, two 4-bit integers share a byte; ReadTensor tells them apart.
constexpr TypeRow kTypes[] = {
    {TensorProto::UNDEFINED, "UNDEFINED", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::FLOAT, "FLOAT", ElementType::kFloat32, ElementType::kFloat32},
    {TensorProto::UINT8, "UINT8", ElementType::kUInt8, ElementType::kUInt8},
    {TensorProto::INT8, "INT8", ElementType::kInt8, ElementType::kInt8},
    {TensorProto::UINT16, "UINT16", ElementType::kUInt16, ElementType::kUInt16},
    {TensorProto::INT16, "INT16", ElementType::kInt16, ElementType::kInt16},
    {TensorProto::INT32, "INT32", ElementType::kInt32, ElementType::kInt32},
    {TensorProto::INT64, "INT64", ElementType::kInt64, ElementType::kInt64},
    {TensorProto::STRING, "STRING", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::BOOL, "BOOL", ElementType::kBool, ElementType::kBool},
    {TensorProto::FLOAT16, "FLOAT16", ElementType::kUInt16, ElementType::kFloat32},
    {TensorProto::DOUBLE, "DOUBLE", ElementType::kFloat64, ElementType::kFloat32},
    {TensorProto::UINT32, "UINT32", ElementType::kUInt32, ElementType::kUInt32},
    {TensorProto::UINT64, "UINT64", ElementType::kUInt64, ElementType::kUInt64},
    {TensorProto::COMPLEX64, "COMPLEX64", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::COMPLEX128, "COMPLEX128", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::BFLOAT16, "BFLOAT16", ElementType::kUInt16, ElementType::kFloat32},
    {TensorProto::FLOAT8E4M3FN, "FLOAT8E4M3FN", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::FLOAT8E4M3FNUZ, "FLOAT8E4M3FNUZ", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::FLOAT8E5M2, "FLOAT8E5M2", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::FLOAT8E5M2FNUZ, "FLOAT8E5M2FNUZ", ElementType::kUndefined, ElementType::kUndefined},
    {TensorProto::UINT4, "UINT4", ElementType::kUInt8, ElementType::kUInt8},
    {TensorProto::INT4, "INT4", ElementType::kUInt8, ElementType::kInt8},
    {TensorProto::FLOAT4E2M1, "FLOAT4E2M1", ElementType::kUndefined, ElementType::kUndefined},
};

const TypeRow* FindType(int32_t data_type) {
  for (const TypeRow& row : kTypes) {
    if (row.onnx == data_type) return &row;
  }
  return nullptr;
}

absl::StatusOr<const TypeRow*> SupportedType(int32_t data_type) {
  const TypeRow* row = FindType(data_type);
  if (row == nullptr || row->stored == ElementType::kUndefined) {
    return absl::UnimplementedError(StrCat("element type ", DataTypeName(data_type), " is not supported"));
  }
  return row;
}

// Every half byte, the lower one first, as a byte.
Buffer Unpacked(const Buffer& packed, int64_t count, bool is_signed) {
  std::vector<uint8_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    const int both = std::to_integer<int>(packed.data[i / 2]);
    const int half = i % 2 == 0 ? both & 15 : both >> 4;
    values[i] = static_cast<uint8_t>(is_signed && half >= 8 ? half - 16 : half);
  }
  return Buffer::Own(std::move(values));
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24, exact in float32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 0xffu : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

float BfloatToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

absl::Status CountMismatch(int64_t found, int64_t expected, std::string_view unit) {
  return absl::InvalidArgumentError(StrCat("the data hold ", found, " ", unit, ", but the shape asks for ", expected));
}

template <class Stored, class Field>
absl::StatusOr<Buffer> NarrowField(const google::protobuf::RepeatedField<Field>& field, int64_t count) {
  if (field.size() != count) return CountMismatch(field.size(), count, "elements");
  std::vector<Stored> values(static_cast<size_t>(count));
  for (int i = 0; i < field.size(); ++i) {
    const Field wide = field.Get(i);
    if constexpr (std::is_integral_v<Stored> && !std::is_same_v<Stored, Field>) {
      if (!std::in_range<Stored>(wide)) {
        return absl::InvalidArgumentError(StrCat("element ", i, " is ", wide, ", outside its type's range"));
      }
    }
    values[static_cast<size_t>(i)] = static_cast<Stored>(wide);
  }
  return Buffer::Own(std::move(values));
}

// Data in the field that ONNX assigns to the storage type.
absl::StatusOr<Buffer> TypedFieldData(const TensorProto& proto, ElementType stored, int64_t count) {
  switch (stored) {
    case ElementType::kFloat32:
      return NarrowField<float>(proto.float_data(), count);
    case ElementType::kFloat64:
      return NarrowField<double>(proto.double_data(), count);
    case ElementType::kInt32:
      return NarrowField<int32_t>(proto.int32_data(), count);
    case ElementType::kInt16:
      return NarrowField<int16_t>(proto.int32_data(), count);
    case ElementType::kInt8:
      return NarrowField<int8_t>(proto.int32_data(), count);
    case ElementType::kUInt16:
      return NarrowField<uint16_t>(proto.int32_data(), count);
    case ElementType::kBool:
    case ElementType::kUInt8:
      return NarrowField<uint8_t>(proto.int32_data(), count);
    case ElementType::kInt64:
      return NarrowField<int64_t>(proto.int64_data(), count);
    case ElementType::kUInt32:
      return NarrowField<uint32_t>(proto.uint64_data(), count);
    case ElementType::kUInt64:
      return NarrowField<uint64_t>(proto.uint64_data(), count);
    default:
      return absl::InternalError("no data field for the type");
  }
}

int64_t TypedFieldSize(const TensorProto& proto) {
  return int64_t{proto.float_data_size()} + proto.int32_data_size() + proto.int64_data_size() +
         proto.double_data_size() + proto.uint64_data_size() + proto.string_data_size();
}

// The bytes as stored, from whichever place holds them.
absl::StatusOr<Buffer> StoredData(TensorProto& proto, ExternalData& external, const Buffer* data, ElementType stored,
                                  int64_t count) {
  const size_t bytes = static_cast<size_t>(count) * ElementSize(stored);
  if (proto.data_location() == TensorProto::EXTERNAL) {
    if (data != nullptr || proto.has_raw_data() || TypedFieldSize(proto) > 0) {
      return absl::InvalidArgumentError("the tensor has both external data and data of its own");
    }
    return external.Map(proto, bytes);
  }
  if (proto.data_location() != TensorProto::DEFAULT) {
    return absl::UnimplementedError(StrCat("data location ", proto.data_location(), " is not known"));
  }
  if (data == nullptr && !proto.has_raw_data()) return TypedFieldData(proto, stored, count);
  if (TypedFieldSize(proto) > 0) return absl::InvalidArgumentError("the tensor has both raw data and typed data");
  const size_t found = data != nullptr ? data->size : proto.raw_data().size();
  if (found != bytes) return CountMismatch(static_cast<int64_t>(found), static_cast<int64_t>(bytes), "bytes");
  if (data != nullptr) return *data;
  const auto kept = std::make_shared<const std::string>(std::move(*proto.mutable_raw_data()));
  return Buffer{reinterpret_cast<const std::byte*>(kept->data()), bytes, kept};
}

template <class T>
T LoadElement(const Buffer& buffer, size_t i) {
  T value;
  std::memcpy(&value, buffer.data + i * sizeof(T), sizeof(T));
  return value;
}

template <class T, class Convert>
Buffer ToFloat(const Buffer& stored, int64_t count, Convert convert) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = convert(LoadElement<T>(stored, i));
  return Buffer::Own(std::move(values));
}

float DoubleToFloat(double wide) {
  // A double beyond float32's range has no float value in C++; the nearest one is infinity.
  if (wide > std::numeric_limits<float>::max()) return std::numeric_limits<float>::infinity();
  if (wide < std::numeric_limits<float>::lowest()) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(wide);
}

// Any byte but 0 is true; other values than 0 and 1 must not reach a bool.
Buffer NormalizedBools(Buffer stored) {
  const auto bad = [](std::byte b) { return std::to_integer<int>(b) > 1; };
  if (std::none_of(stored.data, stored.data + stored.size, bad)) return stored;
  std::vector<uint8_t> values(stored.size);
  for (size_t i = 0; i < values.size(); ++i) values[i] = stored.data[i] != std::byte{0};
  return Buffer::Own(std::move(values));
}

Buffer ConvertData(const TypeRow& type, Buffer stored, int64_t count) {
  switch (type.onnx) {
    case TensorProto::FLOAT16:
      return ToFloat<uint16_t>(stored, count, HalfToFloat);
    case TensorProto::BFLOAT16:
      return ToFloat<uint16_t>(stored, count, BfloatToFloat);
    case TensorProto::DOUBLE:
      return ToFloat<double>(stored, count, DoubleToFloat);
    case TensorProto::BOOL:
      return NormalizedBools(std::move(stored));
    case TensorProto::INT4:
    case TensorProto::UINT4:
      return Unpacked(stored, count, type.onnx == TensorProto::INT4);
    default:
      return stored;
  }
}

}  // namespace

std::string DataTypeName(int32_t data_type) {
  const TypeRow* row = FindType(data_type);
  return row != nullptr ? std::string(row->name) : StrCat("data type ", data_type);
}

int PackedBits(int32_t data_type) { return data_type == TensorProto::INT4 || data_type == TensorProto::UINT4 ? 4 : 0; }

absl::StatusOr<ElementType> ElementTypeFromOnnx(int32_t data_type) {
  const absl::StatusOr<const TypeRow*> row = SupportedType(data_type);
  if (!row.ok()) return row.status();
  return (*row)->read;
}

TensorProto::DataType DataTypeToOnnx(ElementType type) {
  if (type == ElementType::kFloat16) return TensorProto::FLOAT16;
  if (type == ElementType::kBFloat16) return TensorProto::BFLOAT16;
  for (const TypeRow& row : kTypes) {
    const bool half = row.onnx == TensorProto::FLOAT16 || row.onnx == TensorProto::BFLOAT16;
    if (row.stored == type && !half && PackedBits(row.onnx) == 0) return row.onnx;
  }
  return TensorProto::UNDEFINED;
}

absl::StatusOr<Tensor> ReadTensor(TensorProto& proto, ExternalData& external, const Limits& limits,
                                  const Buffer* data) {
  const absl::StatusOr<const TypeRow*> type = SupportedType(proto.data_type());
  if (!type.ok()) return type.status();
  if (proto.has_segment()) return absl::UnimplementedError("tensors stored in segments are not supported");
  std::vector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  const size_t widest = std::max(ElementSize((*type)->stored), ElementSize((*type)->read));
  const absl::StatusOr<int64_t> count = ElementCount(dims, widest);
  if (!count.ok()) return count.status();
  if (static_cast<uint64_t>(*count) * widest > limits.max_tensor_bytes) {
    return absl::ResourceExhaustedError(StrCat("its ", static_cast<uint64_t>(*count) * widest,
                                               " bytes are more than the limit of ", limits.max_tensor_bytes));
  }
  const int64_t units = PackedBits(proto.data_type()) > 0 ? (*count + 1) / 2 : *count;
  absl::StatusOr<Buffer> stored = StoredData(proto, external, data, (*type)->stored, units);
  if (!stored.ok()) return stored.status();
  return Tensor::Create((*type)->read, std::move(dims), ConvertData(**type, *std::move(stored), *count));
}

void WriteTensor(std::string_view name, const Tensor& tensor, TensorProto& proto) {
  proto.set_name(std::string(name));
  proto.set_data_type(DataTypeToOnnx(tensor.type()));
  for (const int64_t dim : tensor.dims()) proto.add_dims(dim);
  proto.set_raw_data(tensor.buffer().data, tensor.buffer().size);
}

void Write4BitTensor(std::string_view name, const Tensor& tensor, TensorProto& proto) {
  const Buffer& bytes = tensor.buffer();
  std::string packed((bytes.size + 1) / 2, '\0');
  for (size_t i = 0; i < bytes.size; ++i) {
    const int half = std::to_integer<int>(bytes.data[i]) & 15;
    packed[i / 2] = static_cast<char>(packed[i / 2] | (i % 2 == 0 ? half : half << 4));
  }
  proto.set_name(std::string(name));
  proto.set_data_type(tensor.type() == ElementType::kUInt8 ? TensorProto::UINT4 : TensorProto::INT4);
  for (const int64_t dim : tensor.dims()) proto.add_dims(dim);
  proto.set_raw_data(std::move(packed));
}

}  // namespace qlite::onnx
