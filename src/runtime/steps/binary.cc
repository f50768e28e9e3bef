// Functions of two elements with broadcasting, and Min and Max of any number.
#include <optional>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/binary_f32.h"
#include "kernels/elementwise_int.h"
#include "kernels/unary_f32.h"
#include "runtime/lowering.h"
#include "runtime/steps/binary_u8.h"
#include "runtime/steps/blocks.h"
#include "runtime/steps/broadcast.h"

namespace qlite {
namespace {

using kernels::BinaryOp;

BinaryOp FloatOp(OpType op) {
  switch (op) {
    case OpType::kSub:
      return BinaryOp::kSub;
    case OpType::kMul:
      return BinaryOp::kMul;
    case OpType::kDiv:
      return BinaryOp::kDiv;
    case OpType::kPow:
      return BinaryOp::kPow;
    case OpType::kMin:
      return BinaryOp::kMin;
    case OpType::kMax:
      return BinaryOp::kMax;
    case OpType::kPRelu:
      return BinaryOp::kPRelu;
    default:
      return BinaryOp::kAdd;
  }
}

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
    case OpType::kMin:
      return kernels::IntegerOp::kMin;
    case OpType::kMax:
      return kernels::IntegerOp::kMax;
    default:
      return std::nullopt;
  }
}

// A constant exponent of 2: a product gives the same bits for less.
bool IsSquare(const Lowering& lowering, const Node& node) {
  const Tensor* exponent = node.op == OpType::kPow ? lowering.Constant(node.inputs[1]) : nullptr;
  if (exponent == nullptr) return false;
  const auto values = exponent->data<float>();
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 2.0f; });
}

// out = op(a, b), then the clamp, block by block.
void EmitFloatPair(Lowering& lowering, BinaryOp op, const Placement& a, const Placement& b, const Placement& out,
                   const FusedClamp& clamp) {
  const kernels::StridedPlan plan = PlanOperands(out, {a, b});
  const auto run = kernels::BinaryF32(lowering.isa())[op];
  const auto clip = kernels::UnaryF32(lowering.isa())[kernels::UnaryOp::kClip];
  const double cost = op == BinaryOp::kPow ? 5 : plan.rank > 2 ? 0.5 : 0.15;
  lowering.Emit({a.at, b.at, out.at}, [=, a_at = a.at, b_at = b.at, out_at = out.at](const Frame& frame) {
    const auto* x = frame.In<float>(a_at);
    const auto* y = frame.In<float>(b_at);
    auto* z = frame.Out<float>(out_at);
    ForBlocks(frame, plan.elements, cost, [&](int64_t begin, int64_t end) {
      for (int64_t from = begin; from < end; from += kBlockElements) {
        const int64_t to = std::min(end, from + kBlockElements);
        run(plan, x, y, z, from, to);
        if (clamp.active()) clip(z + from, z + from, to - from, {clamp.min, clamp.max});
      }
    });
    return absl::OkStatus();
  });
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

// PRelu's slope has one element a channel: it is aligned at the last dimension as every other operand.
absl::Status EmitPair(Lowering& lowering, const Node& node, const Placement& a, const Placement& b,
                      const Placement& out, const FusedClamp& clamp) {
  if (out.type == ElementType::kFloat32) {
    if (IsSquare(lowering, node)) {
      EmitFloatPair(lowering, BinaryOp::kMul, a, a, out, clamp);
    } else {
      EmitFloatPair(lowering, FloatOp(node.op), a, b, out, clamp);
    }
    return absl::OkStatus();
  }
  const auto op = WholeNumberOp(node.op);
  const bool runs = op && !clamp.active() && (out.type == ElementType::kInt64 || out.type == ElementType::kInt32);
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
    const FusedClamp clamp = i + 1 == operands.size() ? lowering.Clamp() : FusedClamp{};
    QLITE_RETURN_IF_ERROR(EmitPair(lowering, node, i == 1 ? operands[0] : out, operands[i], out, clamp));
  }
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
