#include "qlite/types.h"

#include "capi/bodies.h"

using namespace qlite::capi;

size_t qlite_element_size(qlite_element_type type) {
  return type > QLITE_UNDEFINED && type <= QLITE_BFLOAT16 ? qlite::ElementSize(static_cast<qlite::ElementType>(type))
                                                          : 0;
}

const char* qlite_element_type_name(qlite_element_type type) {
  // The names are literals, which end with a zero byte.
  const bool known = type > QLITE_UNDEFINED && type <= QLITE_BFLOAT16;
  return qlite::ElementTypeName(known ? static_cast<qlite::ElementType>(type) : qlite::ElementType::kUndefined).data();
}
