// The extremes of all values seen, the part of the state that the built-in observers share.
#ifndef QLITE_CALIB_VALUE_RANGE_H_
#define QLITE_CALIB_VALUE_RANGE_H_

#include <limits>

#include "calib/byte_stream.h"
#include "qlite/observer.h"

namespace qlite::calib {

// Empty while min > max. Zeros are stored as +0, so that equal ranges are equal bits.
struct ValueRange {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();

  bool empty() const { return min > max; }
  // max(|min|, |max|); 0 where empty.
  float MaxMagnitude() const;
  void Widen(const ObservedRange& range);
  void Widen(const ValueRange& other);
  void Save(ByteWriter* out) const;
  // False for what Save cannot have written.
  bool Load(ByteReader* in);
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_VALUE_RANGE_H_
