#include "runtime/steps/lines.h"

#include "core/shape_util.h"
#include "core/str_cat.h"

namespace qlite {

absl::StatusOr<Lines> LinesAlong(const Lowering& lowering, const Node& node, const Placement& place, int64_t axis) {
  if (place.dims.empty()) return Lines{};
  auto logical = NormalizeAxis(axis, static_cast<int64_t>(place.dims.size()));
  if (!logical.ok()) return lowering.Invalid(node, Message(logical.status()));
  const Extents shape = PhysicalExtents(place.dims, place.layout);
  const auto position = static_cast<size_t>(PhysicalAxis(*logical, shape.size(), place.layout));
  Lines lines;
  for (size_t i = 0; i < position; ++i) lines.outer *= shape[i];
  lines.length = shape[position];
  for (size_t i = position + 1; i < shape.size(); ++i) lines.inner *= shape[i];
  return lines;
}

}  // namespace qlite
