#include "core/op_rules.h"

#include <algorithm>
#include <array>

#include "core/str_cat.h"

namespace qlite {
namespace {

const auto& Rules() {
  static const std::array rules = {
#define QLITE_OP_RULE(name, attrs) op_rules::name##Rule(),
      QLITE_FOR_EACH_OP(QLITE_OP_RULE)
#undef QLITE_OP_RULE
  };
  return rules;
}

std::string Range(size_t min, size_t max) {
  if (max == OpRule::kAny) return StrCat("at least ", min);
  return min == max ? StrCat(min) : StrCat(min, " to ", max);
}

}  // namespace

const OpRule& RuleOf(OpType op) { return Rules()[static_cast<size_t>(op)]; }

absl::Status CheckSignature(std::string_view node_name, OpType op, const OpAttrs& attrs, size_t inputs, size_t outputs,
                            size_t leading_present_inputs) {
  if (!IsKnownOp(op)) {
    return absl::InvalidArgumentError(
        StrCat("node '", node_name, "': operator number ", static_cast<int>(op), " does not exist"));
  }
  const OpRule& rule = RuleOf(op);
  const std::string where = StrCat("node '", node_name, "' (", OpName(op), "): ");
  if (inputs < rule.min_inputs || inputs > rule.max_inputs) {
    return absl::InvalidArgumentError(
        StrCat(where, "expected ", Range(rule.min_inputs, rule.max_inputs), " inputs, found ", inputs));
  }
  if (leading_present_inputs < std::min(inputs, rule.max_inputs == OpRule::kAny ? inputs : rule.min_inputs)) {
    return absl::InvalidArgumentError(StrCat(where, "input ", leading_present_inputs, " is absent but required"));
  }
  if (outputs < rule.min_outputs || outputs > rule.max_outputs) {
    return absl::InvalidArgumentError(
        StrCat(where, "expected ", Range(rule.min_outputs, rule.max_outputs), " outputs, found ", outputs));
  }
  if (!AttrsMatch(op, attrs)) {
    return absl::InvalidArgumentError(StrCat(where, "its attributes are those of another operator"));
  }
  return absl::OkStatus();
}

}  // namespace qlite
