#include "passes/integer_ops.h"

namespace qlite {

IntegerRole RoleOf(OpType op) {
  switch (op) {
    case OpType::kConv:
    case OpType::kConvTranspose:
    case OpType::kGemm:
    case OpType::kMatMul:
      return IntegerRole::kProduct;
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kMul:
    case OpType::kRelu:
    case OpType::kLeakyRelu:
    case OpType::kElu:
    case OpType::kClip:
    case OpType::kSigmoid:
    case OpType::kTanh:
    case OpType::kHardSigmoid:
    case OpType::kHardSwish:
    case OpType::kAbs:
    case OpType::kNeg:
    case OpType::kAveragePool:
    case OpType::kGlobalAveragePool:
    case OpType::kReduceMean:
      return IntegerRole::kArithmetic;
    case OpType::kMaxPool:
    case OpType::kGlobalMaxPool:
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kTranspose:
    case OpType::kSqueeze:
    case OpType::kUnsqueeze:
    case OpType::kSlice:
    case OpType::kSplit:
    case OpType::kPad:
    case OpType::kGather:
    case OpType::kExpand:
    case OpType::kDepthToSpace:
    case OpType::kSpaceToDepth:
    case OpType::kResize:
    case OpType::kIdentity:
      return IntegerRole::kMovement;
    case OpType::kConcat:
      return IntegerRole::kConcat;
    // Exp, Log, Pow, Sqrt, Softmax and their like have results that 8 bits of an even grid describe badly.
    default:
      return IntegerRole::kNone;
  }
}

std::vector<ValueId> DataInputs(const Node& node) {
  const bool all =
      node.op == OpType::kConcat || node.op == OpType::kAdd || node.op == OpType::kSub || node.op == OpType::kMul;
  return all ? node.inputs : std::vector<ValueId>{node.inputs[0]};
}

}  // namespace qlite
