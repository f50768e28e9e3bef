#include "qlite/ops.h"

#include <array>
#include <map>
#include <type_traits>

#include "core/check.h"
#include "core/op_rules.h"

namespace qlite {
namespace {

constexpr std::array kOpNames = {
#define QLITE_OP_NAME(name, attrs) std::string_view(#name),
    QLITE_FOR_EACH_OP(QLITE_OP_NAME)
#undef QLITE_OP_NAME
};

template <class Attrs>
auto* ClampOf(Attrs& attrs) {
  using Result = std::conditional_t<std::is_const_v<Attrs>, const FusedClamp, FusedClamp>;
  return std::visit(
      [](auto& fields) -> Result* {
        if constexpr (requires { fields.clamp; }) {
          return &fields.clamp;
        } else {
          return nullptr;
        }
      },
      attrs);
}

OpAttrs StructDefault(OpType op) {
  switch (op) {
#define QLITE_OP_DEFAULT(name, attrs) \
  case OpType::k##name:               \
    return attrs{};
    QLITE_FOR_EACH_OP(QLITE_OP_DEFAULT)
#undef QLITE_OP_DEFAULT
  }
  QLITE_CHECK(false, "an operator that is not in the list");
}

}  // namespace

std::string_view OpName(OpType op) {
  QLITE_CHECK(IsKnownOp(op), "an operator that is not in the list");
  return kOpNames[static_cast<size_t>(op)];
}

bool IsKnownOp(OpType op) { return static_cast<size_t>(op) < kOpNames.size(); }

std::optional<OpType> FindOp(std::string_view name) {
  static const std::map<std::string_view, OpType> ops = [] {
    std::map<std::string_view, OpType> by_name;
    for (size_t i = 0; i < kOpNames.size(); ++i) by_name[kOpNames[i]] = static_cast<OpType>(i);
    return by_name;
  }();
  const auto found = ops.find(name);
  if (found == ops.end()) return std::nullopt;
  return found->second;
}

OpAttrs DefaultAttrs(OpType op) {
  switch (op) {
    // Where operators that share a struct differ in ONNX's default.
    case OpType::kLeakyRelu:
      return AlphaAttrs{.alpha = 0.01f};
    case OpType::kElu:
      return AlphaAttrs{.alpha = 1.0f};
    case OpType::kSoftmax:
    case OpType::kLogSoftmax:
      return AxisAttrs{.axis = -1};
    case OpType::kFlatten:
      return AxisAttrs{.axis = 1};
    default:
      return StructDefault(op);
  }
}

bool AttrsMatch(OpType op, const OpAttrs& attrs) { return StructDefault(op).index() == attrs.index(); }

const FusedClamp* FindClamp(const OpAttrs& attrs) { return ClampOf(attrs); }
FusedClamp* FindClamp(OpAttrs& attrs) { return ClampOf(attrs); }

}  // namespace qlite
