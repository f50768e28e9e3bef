// Equal, Less, Greater and Where.
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/elementwise_int.h"
#include "runtime/lowering.h"
#include "runtime/steps/blocks.h"
#include "runtime/steps/broadcast.h"

namespace qlite {
namespace {

template <class T>
void EmitCompare(Lowering& lowering, kernels::CompareOp op, const Placement& a, const Placement& b,
                 const Placement& out) {
  const kernels::StridedPlan plan = PlanOperands(out, {a, b});
  lowering.Emit({a.at, b.at, out.at}, [=, a_at = a.at, b_at = b.at, out_at = out.at](const Frame& frame) {
    ForBlocks(frame, plan.elements, 0.5, [&](int64_t begin, int64_t end) {
      kernels::Compare<T>(op, plan, frame.In<T>(a_at), frame.In<T>(b_at), frame.Out<uint8_t>(out_at), begin, end);
    });
    return absl::OkStatus();
  });
}

}  // namespace

namespace steps {

absl::Status Compare(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  const ElementType type = lowering.Type(node.inputs[0]);
  if (lowering.Type(node.inputs[1]) != type) return lowering.Invalid(node, "the operands have different types");
  const Layout layout = lowering.PreferredLayout(node);
  const Placement a = ReadOperand(lowering, node.inputs[0], lowering.Dims(result), layout);
  const Placement b = ReadOperand(lowering, node.inputs[1], lowering.Dims(result), layout);
  const Placement out = lowering.Write(result, layout);
  const kernels::CompareOp op = node.op == OpType::kEqual  ? kernels::CompareOp::kEqual
                                : node.op == OpType::kLess ? kernels::CompareOp::kLess
                                                           : kernels::CompareOp::kGreater;
  switch (type) {
    case ElementType::kFloat32:
      EmitCompare<float>(lowering, op, a, b, out);
      break;
    case ElementType::kInt32:
      EmitCompare<int32_t>(lowering, op, a, b, out);
      break;
    case ElementType::kInt64:
      EmitCompare<int64_t>(lowering, op, a, b, out);
      break;
    case ElementType::kUInt8:
    case ElementType::kBool:
      EmitCompare<uint8_t>(lowering, op, a, b, out);
      break;
    default:
      return lowering.Unimplemented(node, StrCat("cannot run on ", ElementTypeName(type)));
  }
  return absl::OkStatus();
}

absl::Status Where(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  const ElementType type = lowering.Type(result);
  if (lowering.Type(node.inputs[1]) != type || lowering.Type(node.inputs[2]) != type) {
    return lowering.Invalid(node, "the two choices have different types");
  }
  if (type == ElementType::kInt8) return lowering.RequireFloat(node, result);
  const Layout layout = lowering.PreferredLayout(node);
  std::vector<Placement> operands;
  for (ValueId input : node.inputs) operands.push_back(ReadOperand(lowering, input, lowering.Dims(result), layout));
  const Placement out = lowering.Write(result, layout);
  const kernels::StridedPlan plan = PlanOperands(out, operands);
  const auto size = static_cast<int>(ElementSize(type));
  lowering.Emit(
      {operands[0].at, operands[1].at, operands[2].at, out.at},
      [=, condition = operands[0].at, a = operands[1].at, b = operands[2].at, to = out.at](const Frame& frame) {
        ForBlocks(frame, plan.elements, 0.5, [&](int64_t begin, int64_t end) {
          kernels::Where(size, plan, frame.In<uint8_t>(condition), frame.In<std::byte>(a), frame.In<std::byte>(b),
                         frame.Out<std::byte>(to), begin, end);
        });
        return absl::OkStatus();
      });
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
