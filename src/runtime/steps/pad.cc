// Pad in every mode.
#include "kernels/pad.h"

#include <array>
#include <cstring>

#include "core/shape_util.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/movement.h"

namespace qlite {
namespace {

kernels::PadMode ModeOf(PadMode mode) {
  switch (mode) {
    case PadMode::kReflect:
      return kernels::PadMode::kReflect;
    case PadMode::kEdge:
      return kernels::PadMode::kEdge;
    case PadMode::kWrap:
      return kernels::PadMode::kWrap;
    case PadMode::kConstant:
      break;
  }
  return kernels::PadMode::kConstant;
}

// One element as it lies in memory.
using Element = std::array<std::byte, 8>;

// The padding value. For int8 data it may be a real number or an int8 constant; absent it stands for 0.
absl::StatusOr<Element> ValueOf(const Lowering& lowering, const Node& node) {
  Element element{};
  const ElementType type = lowering.Type(node.inputs[0]);
  const auto& quant = lowering.graph().value(node.inputs[0]).quant;
  if (!node.has_input(2)) {
    if (type == ElementType::kInt8) element[0] = static_cast<std::byte>(quant ? ByteZeroPoint(*quant) : kByteOffset);
    return element;
  }
  const Tensor* value = lowering.Constant(node.inputs[2]);
  if (value == nullptr) return lowering.Unimplemented(node, "the padding value must be constant");
  if (value->element_count() != 1) return lowering.Invalid(node, "the padding value must be one element");
  if (type == ElementType::kInt8 && value->type() == ElementType::kFloat32 && quant) {
    element[0] = static_cast<std::byte>(QuantizeToByte(value->data<float>()[0], *quant));
  } else if (value->type() != type) {
    return lowering.Invalid(
        node, StrCat("the padding value is ", ElementTypeName(value->type()), ", the data ", ElementTypeName(type)));
  } else if (type == ElementType::kInt8) {
    element[0] = static_cast<std::byte>(value->data<int8_t>()[0] + kByteOffset);
  } else {
    std::memcpy(element.data(), value->buffer().data, ElementSize(type));
  }
  return element;
}

absl::Status PadAmounts(const Lowering& lowering, const Node& node, Extents& before, Extents& after) {
  auto pads = lowering.Integers(node, 1);
  if (!pads.ok()) return pads.status();
  const auto rank = static_cast<int64_t>(before.size());
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  if (node.has_input(3)) {
    auto given = lowering.Integers(node, 3);
    if (!given.ok()) return given.status();
    axes = *given;
  }
  if (pads->size() != 2 * axes.size()) return lowering.Invalid(node, "needs two amounts of padding for every axis");
  for (size_t i = 0; i < axes.size(); ++i) {
    auto axis = NormalizeAxis(axes[i], rank);
    if (!axis.ok()) return lowering.Invalid(node, Message(axis.status()));
    before[static_cast<size_t>(*axis)] = (*pads)[i];
    after[static_cast<size_t>(*axis)] = (*pads)[i + axes.size()];
  }
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status Pad(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  const Placement in = lowering.Read(input, lowering.LayoutOf(input));
  Extents before(in.dims.size()), after(in.dims.size());
  QLITE_RETURN_IF_ERROR(PadAmounts(lowering, node, before, after));
  auto value = ValueOf(lowering, node);
  if (!value.ok()) return value.status();
  kernels::PadPlan plan;
  if (!kernels::PlanPad(ModeOf(node.attr<PadAttrs>().mode), PhysicalExtents(in.dims, in.layout),
                        PhysicalExtents(before, in.layout), PhysicalExtents(after, in.layout), &plan)) {
    return lowering.Invalid(node, "the padding does not fit the input");
  }
  const Placement out = lowering.Write(result, in.layout);
  const auto size = static_cast<int>(ElementSize(in.type));
  const double cost = static_cast<double>(out.bytes()) * 0.1;
  lowering.Emit({in.at, out.at}, [=, fill = *value, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(plan.work_units, cost, [&](int64_t begin, int64_t end, int) {
      kernels::RunPad(plan, size, frame.In<std::byte>(from), fill.data(), frame.Out<std::byte>(to), begin, end);
    });
    return absl::OkStatus();
  });
  FinishMovement(lowering, input, result, out);
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
