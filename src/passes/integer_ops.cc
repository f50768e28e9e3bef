#include "passes/integer_ops.h"

#include "core/op_rules.h"

namespace qlite {
namespace {

// Their results, or what they do to small errors, an even grid of 8 bits describes badly.
bool SuffersFromEightBits(OpType op) {
  switch (op) {
    case OpType::kDiv:
    case OpType::kPow:
    case OpType::kSqrt:
    case OpType::kExp:
    case OpType::kLog:
    case OpType::kErf:
    case OpType::kReciprocal:
    case OpType::kFloor:
    case OpType::kCeil:
    case OpType::kRound:
    case OpType::kCast:
      return true;
    default:
      return false;
  }
}

}  // namespace

IntegerRole RoleOf(OpType op) {
  switch (KindOf(op)) {
    case OpKind::kProduct:
      return IntegerRole::kProduct;
    case OpKind::kUnary:
    case OpKind::kBinary:
      return SuffersFromEightBits(op) ? IntegerRole::kNone : IntegerRole::kArithmetic;
    case OpKind::kMean:
      return IntegerRole::kArithmetic;
    case OpKind::kMovement:
    case OpKind::kSelection:
      return IntegerRole::kMovement;
    case OpKind::kConcat:
      return IntegerRole::kConcat;
    case OpKind::kOther:
      break;
  }
  return op == OpType::kResize ? IntegerRole::kMovement : IntegerRole::kNone;
}

std::vector<ValueId> DataInputs(const Node& node) {
  const OpKind kind = KindOf(node.op);
  return kind == OpKind::kConcat || kind == OpKind::kBinary ? node.inputs : std::vector<ValueId>{node.inputs[0]};
}

}  // namespace qlite
