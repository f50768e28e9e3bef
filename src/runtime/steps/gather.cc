// Gather, Shape and ConstantOfShape.
#include "kernels/gather.h"

#include <algorithm>
#include <cstring>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/lowering.h"
#include "runtime/steps/lines.h"
#include "runtime/steps/movement.h"

namespace qlite {
namespace {

template <class Index>
void EmitGather(Lowering& lowering, const Node& node, const Lines& lines, int64_t count, const Operand& in,
                const Operand& indices, const Placement& out) {
  const int64_t inner_bytes = lines.inner * static_cast<int64_t>(ElementSize(out.type));
  const double cost = static_cast<double>(out.bytes()) * 0.1;
  const absl::Status failure =
      lowering.Invalid(node, StrCat("an index is outside [-", lines.length, ", ", lines.length - 1, "]"));
  lowering.Emit({in, indices, out.at}, [=, to = out.at](const Frame& frame) {
    const auto* index = frame.In<Index>(indices);
    if (kernels::FirstBadIndex(index, count, lines.length) >= 0) return failure;
    frame.ParallelFor(lines.outer * count, cost, [&](int64_t begin, int64_t end, int) {
      kernels::Gather(frame.In<std::byte>(in), index, frame.Out<std::byte>(to), lines.length, count, inner_bytes, begin,
                      end);
    });
    return absl::OkStatus();
  });
}

// Copies `bytes` made at lowering to the result in every run.
void EmitConstant(Lowering& lowering, ValueId result, std::vector<std::byte> bytes) {
  const Placement out = lowering.Write(result, Layout::kRowMajor);
  lowering.Emit({out.at}, [bytes = std::move(bytes), to = out.at](const Frame& frame) {
    if (!bytes.empty()) std::memcpy(frame.Out<std::byte>(to), bytes.data(), bytes.size());
    return absl::OkStatus();
  });
}

template <class T>
std::vector<std::byte> Bytes(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

namespace steps {

absl::Status Gather(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  const Placement in = lowering.Read(input, Layout::kRowMajor);
  const Placement indices = lowering.Read(node.inputs[1], Layout::kRowMajor);
  auto lines = LinesAlong(lowering, node, in, node.attr<AxisAttrs>().axis);
  if (!lines.ok()) return lines.status();
  const Placement out = lowering.Write(result, Layout::kRowMajor);
  if (indices.type == ElementType::kInt64) {
    EmitGather<int64_t>(lowering, node, *lines, indices.elements(), in.at, indices.at, out);
  } else if (indices.type == ElementType::kInt32) {
    EmitGather<int32_t>(lowering, node, *lines, indices.elements(), in.at, indices.at, out);
  } else {
    return lowering.Invalid(node, StrCat("indices are ", ElementTypeName(indices.type), ", expected int64 or int32"));
  }
  FinishMovement(lowering, input, result, out);
  return absl::OkStatus();
}

absl::Status Shape(Lowering& lowering, const Node& node) {
  const Extents& dims = lowering.Dims(node.inputs[0]);
  const auto rank = static_cast<int64_t>(dims.size());
  const auto clamped = [rank](int64_t position) {
    return std::clamp<int64_t>(position < 0 ? position + rank : position, 0, rank);
  };
  const auto& attrs = node.attr<ShapeAttrs>();
  std::vector<int64_t> extents;
  for (int64_t i = clamped(attrs.start); i < clamped(attrs.end); ++i) extents.push_back(dims[static_cast<size_t>(i)]);
  EmitConstant(lowering, node.outputs[0], Bytes(extents));
  return absl::OkStatus();
}

absl::Status ConstantOfShape(Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<FillAttrs>();
  const auto count = static_cast<size_t>(ElementsOf(lowering.Dims(node.outputs[0])));
  std::vector<std::byte> bytes;
  switch (attrs.type) {
    case ElementType::kFloat32:
      bytes = Bytes(std::vector<float>(count, attrs.float_value));
      break;
    case ElementType::kInt64:
      bytes = Bytes(std::vector<int64_t>(count, attrs.int_value));
      break;
    case ElementType::kInt32:
      bytes = Bytes(std::vector<int32_t>(count, static_cast<int32_t>(attrs.int_value)));
      break;
    case ElementType::kBool:
      bytes = Bytes(std::vector<uint8_t>(count, attrs.int_value != 0));
      break;
    case ElementType::kUInt8:
      bytes = Bytes(std::vector<uint8_t>(count, static_cast<uint8_t>(attrs.int_value)));
      break;
    default:
      return lowering.Unimplemented(node, StrCat("cannot fill ", ElementTypeName(attrs.type)));
  }
  EmitConstant(lowering, node.outputs[0], std::move(bytes));
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
