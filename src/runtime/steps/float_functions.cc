#include "runtime/steps/float_functions.h"

namespace qlite {

using kernels::BinaryOp;
using kernels::UnaryOp;

std::optional<UnaryFunction> UnaryFunctionOf(const Node& node) {
  switch (node.op) {
    case OpType::kRelu:
      return UnaryFunction{UnaryOp::kRelu, {}};
    case OpType::kLeakyRelu:
      return UnaryFunction{UnaryOp::kLeakyRelu, {node.attr<AlphaAttrs>().alpha, 0}};
    case OpType::kElu:
      return UnaryFunction{UnaryOp::kElu, {node.attr<AlphaAttrs>().alpha, 0}};
    case OpType::kClip: {
      const FusedClamp& range = node.attr<ClipAttrs>().range;
      return UnaryFunction{UnaryOp::kClip, {range.min, range.max}};
    }
    case OpType::kSigmoid:
      return UnaryFunction{UnaryOp::kSigmoid, {}};
    case OpType::kTanh:
      return UnaryFunction{UnaryOp::kTanh, {}};
    case OpType::kHardSigmoid: {
      const auto& attrs = node.attr<HardSigmoidAttrs>();
      return UnaryFunction{UnaryOp::kHardSigmoid, {attrs.alpha, attrs.beta}};
    }
    case OpType::kHardSwish:
      return UnaryFunction{UnaryOp::kHardSwish, {}};
    case OpType::kSqrt:
      return UnaryFunction{UnaryOp::kSqrt, {}};
    case OpType::kExp:
      return UnaryFunction{UnaryOp::kExp, {}};
    case OpType::kLog:
      return UnaryFunction{UnaryOp::kLog, {}};
    case OpType::kErf:
      return UnaryFunction{UnaryOp::kErf, {}};
    case OpType::kNeg:
      return UnaryFunction{UnaryOp::kNeg, {}};
    case OpType::kAbs:
      return UnaryFunction{UnaryOp::kAbs, {}};
    case OpType::kReciprocal:
      return UnaryFunction{UnaryOp::kReciprocal, {}};
    case OpType::kFloor:
      return UnaryFunction{UnaryOp::kFloor, {}};
    case OpType::kCeil:
      return UnaryFunction{UnaryOp::kCeil, {}};
    case OpType::kRound:
      return UnaryFunction{UnaryOp::kRound, {}};
    default:
      return std::nullopt;
  }
}

std::optional<BinaryOp> BinaryFunctionOf(OpType op) {
  switch (op) {
    case OpType::kAdd:
      return BinaryOp::kAdd;
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
      return std::nullopt;
  }
}

}  // namespace qlite
