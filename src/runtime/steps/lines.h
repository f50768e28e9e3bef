// A value as lines along one of its dimensions.
#ifndef QLITE_RUNTIME_STEPS_LINES_H_
#define QLITE_RUNTIME_STEPS_LINES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/lowering.h"

namespace qlite {

// Dense memory seen as (outer, length, inner).
struct Lines {
  int64_t outer = 1, length = 1, inner = 1;
};

// The lines along logical dimension `axis` (negative from the end) of a dense placement, as it lies.
absl::StatusOr<Lines> LinesAlong(const Lowering& lowering, const Node& node, const Placement& place, int64_t axis);

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_LINES_H_
