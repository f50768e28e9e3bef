#include "calib/value_range.h"

#include <algorithm>
#include <cmath>

namespace qlite::calib {

float ValueRange::MaxMagnitude() const { return empty() ? 0.0f : std::max(std::fabs(min), std::fabs(max)); }

void ValueRange::Widen(const ObservedRange& range) {
  min = std::min(min, range.min) + 0.0f;  // -0 becomes +0
  max = std::max(max, range.max) + 0.0f;
}

void ValueRange::Widen(const ValueRange& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

void ValueRange::Save(ByteWriter* out) const {
  out->F32(min);
  out->F32(max);
}

bool ValueRange::Load(ByteReader* in) {
  const auto negative_zero = [](float x) { return x == 0 && std::signbit(x); };
  min = in->F32();
  max = in->F32();
  if (std::isinf(min) && std::isinf(max)) return min > 0 && max < 0;
  return std::isfinite(min) && std::isfinite(max) && min <= max && !negative_zero(min) && !negative_zero(max);
}

}  // namespace qlite::calib
