// Attribute structs as lists of named fields, for formats that store them: what VisitFields lists, without the types.
#ifndef QLITE_CORE_ATTRIBUTE_FIELDS_H_
#define QLITE_CORE_ATTRIBUTE_FIELDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "qlite/ops.h"

namespace qlite {

// One field; the member that its type calls for is set, the others keep their defaults.
struct AttributeField {
  std::string name;
  int64_t integer = 0;  // bool, int64_t and enumerations
  float real = 0;
  std::vector<int64_t> integers;
  std::vector<float> reals;
  friend bool operator==(const AttributeField&, const AttributeField&) = default;
};

// The fields of `attrs` that differ from the operator's defaults, in the struct's order.
std::vector<AttributeField> NonDefaultFields(OpType op, const OpAttrs& attrs);

// Sets fields of `attrs` by name. kInvalidArgument for a name that the struct does not have, one that stands twice, or
// a value outside its enumeration.
absl::Status SetFields(const std::vector<AttributeField>& fields, OpAttrs& attrs);

}  // namespace qlite

#endif  // QLITE_CORE_ATTRIBUTE_FIELDS_H_
