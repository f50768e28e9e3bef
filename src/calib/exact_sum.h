// A sum of floats without rounding, and so without an order.
#ifndef QLITE_CALIB_EXACT_SUM_H_
#define QLITE_CALIB_EXACT_SUM_H_

#include <array>
#include <cstdint>

#include "calib/byte_stream.h"

namespace qlite::calib {

// A fixed-point number of 384 bits in two's complement whose lowest bit is 2^-149, that of the smallest float: the sum
// of 2^100 floats fits. (Kulisch, "Computer Arithmetic and Validity", 2013, calls it a long accumulator.)
class ExactSum {
 public:
  // `value` is finite.
  void Add(float value);
  void Add(const ExactSum& other);
  // The sum divided by a positive count, computed in double from its leading 62 bits or more.
  float Mean(uint64_t count) const;
  void Save(ByteWriter* out) const;
  void Load(ByteReader* in);

 private:
  static constexpr size_t kLimbs = 12;
  // Little-endian, 32 bits each; the sign extends the last one.
  std::array<uint32_t, kLimbs> limbs_{};
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_EXACT_SUM_H_
