#include "formats/onnx/wire_scan.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

enum Message : uint8_t {
  kNone,  // not a message: a scalar, a string, or bytes
  kLeaf,  // a message without messages inside
  kModel,
  kGraph,
  kNode,
  kAttribute,
  kTensor,
  kSparseTensor,
  kValueInfo,
  kType,
  kTensorType,
  kNestedType,
  kMapType,
  kShape,
  kAnnotation,
  kMessageCount,
};

constexpr std::array<std::string_view, kMessageCount> kMessageNames = {"",
                                                                       "entry",
                                                                       "ModelProto",
                                                                       "GraphProto",
                                                                       "NodeProto",
                                                                       "AttributeProto",
                                                                       "TensorProto",
                                                                       "SparseTensorProto",
                                                                       "ValueInfoProto",
                                                                       "TypeProto",
                                                                       "TypeProto.Tensor",
                                                                       "TypeProto.Sequence",
                                                                       "TypeProto.Map",
                                                                       "TensorShapeProto",
                                                                       "TensorAnnotation"};

struct SubMessage {
  Message parent;
  uint32_t field;
  Message child;
};

// Which fields hold messages; onnx.proto has the same numbers.
constexpr SubMessage kSubMessages[] = {
    {kModel, 7, kGraph},
    {kModel, 8, kLeaf},
    {kModel, 14, kLeaf},
    {kModel, 20, kLeaf},
    {kModel, 25, kLeaf},
    {kGraph, 1, kNode},
    {kGraph, 5, kTensor},
    {kGraph, 11, kValueInfo},
    {kGraph, 12, kValueInfo},
    {kGraph, 13, kValueInfo},
    {kGraph, 14, kAnnotation},
    {kGraph, 15, kSparseTensor},
    {kGraph, 16, kLeaf},
    {kNode, 5, kAttribute},
    {kNode, 9, kLeaf},
    {kAttribute, 5, kTensor},
    {kAttribute, 6, kGraph},
    {kAttribute, 10, kTensor},
    {kAttribute, 11, kGraph},
    {kAttribute, 14, kType},
    {kAttribute, 15, kType},
    {kAttribute, 22, kSparseTensor},
    {kAttribute, 23, kSparseTensor},
    {kTensor, 3, kLeaf},
    {kTensor, 13, kLeaf},
    {kTensor, 16, kLeaf},
    {kSparseTensor, 1, kTensor},
    {kSparseTensor, 2, kTensor},
    {kValueInfo, 2, kType},
    {kValueInfo, 4, kLeaf},
    {kType, 1, kTensorType},
    {kType, 4, kNestedType},
    {kType, 5, kMapType},
    {kType, 8, kTensorType},
    {kType, 9, kNestedType},
    {kTensorType, 2, kShape},
    {kNestedType, 1, kType},
    {kMapType, 2, kType},
    {kShape, 1, kLeaf},
    {kAnnotation, 2, kLeaf},
};

Message ChildMessage(Message parent, uint32_t field) {
  for (const SubMessage& entry : kSubMessages) {
    if (entry.parent == parent && entry.field == field) return entry.child;
  }
  return kNone;
}

// Initializers, graph inputs, tensors in attributes, and the names of what nodes compute.
bool MakesTensor(Message parent, uint32_t field) {
  if (parent == kNode) return field == 2;
  const Message child = ChildMessage(parent, field);
  return child == kTensor || (parent == kGraph && field == 11);
}

constexpr int kMaxDepth = 64;
// Parsed size of a message or string beyond the bytes it holds, rounded up.
constexpr uint64_t kParsedMessageBytes = 192;
constexpr uint64_t kParsedStringBytes = 40;
// Real models stay below ten.
constexpr uint64_t kMaxGrowth = 32;
constexpr uint64_t kFreeGrowthBytes = uint64_t{1} << 20;

class Scanner {
 public:
  Scanner(std::span<const std::byte> bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}

  absl::Status Message(enum Message kind, size_t begin, size_t end, int depth) {
    if (depth > kMaxDepth) return Fault(kind, begin, StrCat("messages are nested deeper than ", kMaxDepth));
    size_t at = begin;
    while (at < end) {
      const size_t field_start = at;
      uint64_t tag = 0;
      if (!Varint(at, end, tag)) return Fault(kind, field_start, "a field's tag is cut off or longer than 64 bits");
      const uint64_t field = tag >> 3;
      if (field == 0 || field >= (uint64_t{1} << 29)) {
        return Fault(kind, field_start, StrCat("field number ", field, " is not possible"));
      }
      uint64_t length = 0;
      switch (tag & 7) {
        case 0:
          if (!Varint(at, end, length)) return Fault(kind, field_start, Describe(field, "is cut off"));
          continue;
        case 1:
          length = 8;
          break;
        case 5:
          length = 4;
          break;
        case 2:
          if (!Varint(at, end, length)) return Fault(kind, field_start, Describe(field, "is cut off"));
          break;
        default:
          return Fault(kind, field_start, Describe(field, StrCat("has wire type ", tag & 7, ", which ONNX has not")));
      }
      if (length > end - at) {
        return Fault(kind, field_start,
                     Describe(field, StrCat("claims ", length, " bytes where ", end - at, " are left")));
      }
      if ((tag & 7) == 2) {
        if (absl::Status status = Delimited(kind, static_cast<uint32_t>(field), at, static_cast<size_t>(length), depth);
            !status.ok()) {
          return status;
        }
      }
      at += static_cast<size_t>(length);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Delimited(enum Message kind, uint32_t field, size_t at, size_t length, int depth) {
    const enum Message child = ChildMessage(kind, field);
    growth_ += child == kNone ? kParsedStringBytes : kParsedMessageBytes;
    if (growth_ > kFreeGrowthBytes + kMaxGrowth * bytes_.size()) {
      return Fault(kind, at, "the file holds so many empty messages that it would take many times its size in memory");
    }
    if (child == kNode && ++nodes_ > limits_.max_nodes) {
      return absl::ResourceExhaustedError(
          StrCat("it has more than the ", limits_.max_nodes, " nodes that the limits allow"));
    }
    if (MakesTensor(kind, field) && ++tensors_ > limits_.max_tensors) {
      return absl::ResourceExhaustedError(
          StrCat("it has more than the ", limits_.max_tensors, " tensors that the limits allow"));
    }
    return child == kNone ? absl::OkStatus() : Message(child, at, at + length, depth + 1);
  }

  bool Varint(size_t& at, size_t end, uint64_t& value) const {
    value = 0;
    for (int shift = 0; shift < 70 && at < end; shift += 7) {
      const uint64_t byte = std::to_integer<uint64_t>(bytes_[at++]);
      if (shift < 64) value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  static std::string Describe(uint64_t field, std::string_view what) { return StrCat("field ", field, " ", what); }

  absl::Status Fault(enum Message kind, size_t at, std::string_view what) const {
    return absl::InvalidArgumentError(StrCat("not a whole ONNX file: at byte ", at, " of ", bytes_.size(), ", in a ",
                                             kMessageNames[kind], ", ", what));
  }

  std::span<const std::byte> bytes_;
  const Limits& limits_;
  uint64_t growth_ = 0;
  int64_t nodes_ = 0, tensors_ = 0;
};

}  // namespace

absl::Status ScanModel(std::span<const std::byte> bytes, const Limits& limits) {
  return Scanner(bytes, limits).Message(kModel, 0, bytes.size(), 0);
}

}  // namespace qlite::onnx
