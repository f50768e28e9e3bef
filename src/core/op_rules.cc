#include "core/op_rules.h"

#include <algorithm>
#include <array>

#include "core/error_site.h"
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
    return AtNode(absl::InvalidArgumentError(
                      StrCat("node '", node_name, "': operator number ", static_cast<int>(op), " does not exist")),
                  node_name);
  }
  const OpRule& rule = RuleOf(op);
  const auto refuse = [&](const auto&... what) {
    return AtNode(absl::InvalidArgumentError(StrCat("node '", node_name, "' (", OpName(op), "): ", what...)),
                  node_name);
  };
  if (inputs < rule.min_inputs || inputs > rule.max_inputs) {
    return refuse("expected ", Range(rule.min_inputs, rule.max_inputs), " inputs, found ", inputs);
  }
  if (leading_present_inputs < std::min(inputs, rule.max_inputs == OpRule::kAny ? inputs : rule.min_inputs)) {
    return refuse("input ", leading_present_inputs, " is absent but required");
  }
  if (outputs < rule.min_outputs || outputs > rule.max_outputs) {
    return refuse("expected ", Range(rule.min_outputs, rule.max_outputs), " outputs, found ", outputs);
  }
  if (!AttrsMatch(op, attrs)) {
    return refuse("its attributes are those of another operator");
  }
  return absl::OkStatus();
}

}  // namespace qlite
