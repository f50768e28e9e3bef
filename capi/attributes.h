// The attributes of an operator as a list of named values, and back.
#ifndef QLITE_CAPI_ATTRIBUTES_H_
#define QLITE_CAPI_ATTRIBUTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "capi/qlite.h"
#include "qlite/ops.h"

namespace qlite::capi {

struct Attribute {
  std::string name;
  qlite_attribute_kind kind = QLITE_ATTRIBUTE_INTEGER;
  int64_t integer = 0;
  float real = 0;
  std::vector<int64_t> integers;
  std::vector<float> reals;
};

// All fields of the struct, in its order.
std::vector<Attribute> ListAttributes(const OpAttrs& attrs);

// The operator's defaults with those of the host's list put in. Refuses unknown names (with the nearest one), a name
// that stands twice, a wrong kind, and values beyond a field's range.
OpAttrs ReadAttributes(OpType op, const qlite_attribute* attributes, size_t count);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_ATTRIBUTES_H_
