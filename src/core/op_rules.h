// What the graph knows of every operator: how many inputs and outputs it takes, and how the types and shapes of its
// outputs follow from its inputs.
//
// A new operator is one line in QLITE_FOR_EACH_OP (qlite/ops.h) and one function `OpRule <Name>Rule()` in a file of
// src/core/ops/.
#ifndef QLITE_CORE_OP_RULES_H_
#define QLITE_CORE_OP_RULES_H_

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "qlite/ops.h"

namespace qlite {

class InferContext;

// What an operator does with the elements of its inputs, where passes need to know no more.
enum class OpKind : uint8_t {
  kOther,
  kProduct,    // sums of products with weights
  kUnary,      // an element of the result is a function of the input's element in its place
  kBinary,     // the same of two inputs, with broadcasting
  kMovement,   // the elements of the first input in other places, perhaps with constants between them
  kSelection,  // the largest element of a window
  kMean,       // the mean of a window
  kConcat,
};

struct OpRule {
  static constexpr size_t kAny = std::numeric_limits<size_t>::max();

  OpKind kind = OpKind::kOther;
  size_t min_inputs = 1;  // inputs below this index must be present
  size_t max_inputs = 1;
  size_t min_outputs = 1;
  size_t max_outputs = 1;
  // Sets type and shape of every output, checks the inputs, and completes attributes that follow from shapes. Called
  // with the number of inputs and outputs and the attribute struct checked, after the producers of its inputs.
  absl::Status (*infer)(InferContext& context) = nullptr;
};

// False for a number outside the enumeration.
bool IsKnownOp(OpType op);

// The rule of a known operator. Thread-safe.
const OpRule& RuleOf(OpType op);
inline OpKind KindOf(OpType op) { return RuleOf(op).kind; }

// `attrs` holds the struct that QLITE_FOR_EACH_OP names for a known operator.
bool AttrsMatch(OpType op, const OpAttrs& attrs);

// The numbers of inputs and outputs, the presence of required inputs and the attribute struct are right for the
// operator; the error begins with "node '<name>' (<op>)". `leading_present_inputs` is the index of the first absent
// input, or their number.
absl::Status CheckSignature(std::string_view node_name, OpType op, const OpAttrs& attrs, size_t inputs, size_t outputs,
                            size_t leading_present_inputs);

namespace op_rules {
#define QLITE_DECLARE_RULE(name, attrs) OpRule name##Rule();
QLITE_FOR_EACH_OP(QLITE_DECLARE_RULE)
#undef QLITE_DECLARE_RULE
}  // namespace op_rules

}  // namespace qlite

#endif  // QLITE_CORE_OP_RULES_H_
