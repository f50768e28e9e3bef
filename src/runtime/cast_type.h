// The element types of the graph as the casting kernel names them.
#ifndef QLITE_RUNTIME_CAST_TYPE_H_
#define QLITE_RUNTIME_CAST_TYPE_H_

#include <optional>

#include "kernels/cast.h"
#include "qlite/types.h"

namespace qlite {

// Nothing for kUndefined.
std::optional<kernels::CastType> CastTypeOf(ElementType type);

}  // namespace qlite

#endif  // QLITE_RUNTIME_CAST_TYPE_H_
