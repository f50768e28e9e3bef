// Functions of two elements with broadcasting, and Min and Max of any number.
#include <optional>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/elementwise_int.h"
#include "runtime/lowering.h"
#include "runtime/steps/binary_u8.h"
#include "runtime/steps/broadcast.h"
#include "runtime/steps/float_chain.h"
#include "runtime/steps/float_functions.h"

namespace qlite {
namespace {

std::optional<kernels::IntegerOp> WholeNumberOp(OpType op) {
  switch (op) {
    case OpType::kAdd:
      return kernels::IntegerOp::kAdd;
    case OpType::kSub:
      return kernels::IntegerOp::kSub;
    case OpType::kMul:
      return kernels::IntegerOp::kMul;
    case OpType::kDiv:
      return kernels::IntegerOp::kDiv;
    case OpType::kMod:
      return kernels::IntegerOp::kMod;
    case OpType::kMin:
      return kernels::IntegerOp::kMin;
    case OpType::kMax:
      return kernels::IntegerOp::kMax;
    default:
      return std::nullopt;
  }
}

template <class T>
void EmitWholePair(Lowering& lowering, const Node& node, kernels::IntegerOp op, const Placement& a, const Placement& b,
                   const Placement& out) {
  const kernels::StridedPlan plan = PlanOperands(out, {a, b});
  const absl::Status failure = lowering.Invalid(node, "division by zero");
  lowering.Emit({a.at, b.at, out.at}, [=, a_at = a.at, b_at = b.at, out_at = out.at](const Frame& frame) {
    const bool fine = kernels::IntegerBinary<T>(op, plan, frame.In<T>(a_at), frame.In<T>(b_at), frame.Out<T>(out_at), 0,
                                                plan.elements);
    return fine ? absl::OkStatus() : failure;
  });
}

absl::Status EmitPair(Lowering& lowering, const Node& node, const Placement& a, const Placement& b,
                      const Placement& out) {
  const auto op = WholeNumberOp(node.op);
  const bool runs =
      op && !lowering.Clamp().active() && (out.type == ElementType::kInt64 || out.type == ElementType::kInt32);
  if (!runs) return lowering.Unimplemented(node, StrCat("cannot run on ", ElementTypeName(out.type)));
  if (out.type == ElementType::kInt64) {
    EmitWholePair<int64_t>(lowering, node, *op, a, b, out);
  } else {
    EmitWholePair<int32_t>(lowering, node, *op, a, b, out);
  }
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status Binary(Lowering& lowering, const Node& node) {
  const ValueId result = lowering.Result();
  for (ValueId input : node.inputs) {
    if (lowering.Type(input) == ElementType::kInt8) return BinaryBytes(lowering, node);
    if (lowering.Type(input) != lowering.Type(result)) {
      return lowering.Unimplemented(
          node, StrCat("inputs and output have different types: ", ElementTypeName(lowering.Type(input)), " and ",
                       ElementTypeName(lowering.Type(result))));
    }
  }
  if (lowering.Type(result) == ElementType::kFloat32) {
    if (!BinaryFunctionOf(node.op)) return lowering.Unimplemented(node, "cannot run on float32");
    return EmitFloatChain(lowering);
  }
  const Layout layout = lowering.PreferredLayout(node);
  const Extents& extents = lowering.Dims(result);
  std::vector<Placement> operands;
  for (ValueId input : node.inputs) operands.push_back(ReadOperand(lowering, input, extents, layout));
  if (operands.size() == 1) {
    const Placement only = lowering.Read(node.inputs[0], layout);
    lowering.EmitCopy(only, lowering.Write(result, layout));
    return absl::OkStatus();
  }
  size_t full = 0;  // an operand whose memory the result may take
  while (full < 2 && operands[full].dims != extents) ++full;
  const bool reuse = full < 2 && operands.size() == 2 && operands[full].layout == layout;
  const Placement out = reuse ? lowering.WriteOver(result, operands[full], operands) : lowering.Write(result, layout);
  for (size_t i = 1; i < operands.size(); ++i) {
    QLITE_RETURN_IF_ERROR(EmitPair(lowering, node, i == 1 ? operands[0] : out, operands[i], out));
  }
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
