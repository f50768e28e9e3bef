// What follows the accumulators of the int8 kernels: which of its forms a call takes, and its constants. Included by
// *.isa.cc alone.
#ifndef QLITE_KERNELS_EPILOGUE_U8_H_
#define QLITE_KERNELS_EPILOGUE_U8_H_

#ifndef QLITE_ISA
#error "kernels/epilogue_u8.h is for *.isa.cc sources, which are compiled with QLITE_ISA"
#endif

#include <cstdint>
#include <cstring>

#include "kernels/quantized.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// What becomes of accumulators.
enum class Epilogue {
  kFloat,    // scaled
  kClamped,  // requantized, with bounds
  // Requantized, where saturation is all the clamping there is: the bounds are 0 and 255, and every multiplier is less
  // than 1 in magnitude, so that no scaled accumulator exceeds an int32.
  kSaturated,
};

inline Epilogue ChooseEpilogue(bool to_float, const OutputQuantization& q, bool small_multipliers) {
  if (to_float) return Epilogue::kFloat;
  return q.lo == 0 && q.hi == 255 && small_multipliers ? Epilogue::kSaturated : Epilogue::kClamped;
}

// Packed weights begin with this header, which fills kPackedAlignment bytes.
struct PackedHeader {
  int32_t small_multipliers;
};

inline void WriteHeader(const float* multipliers, int64_t n, void* packed) {
  PackedHeader header = {1};
  for (int64_t i = 0; i < n; ++i) {
    if (!(multipliers[i] > -1.0f && multipliers[i] < 1.0f)) header.small_multipliers = 0;
  }
  std::memcpy(packed, &header, sizeof header);
}

inline bool HasSmallMultipliers(const void* packed) {
  PackedHeader header;
  std::memcpy(&header, packed, sizeof header);
  return header.small_multipliers != 0;
}

// The zero point and bounds of a requantized output, as whole vectors: a tile needs all its registers for accumulators
// and reads these as memory operands.
struct alignas(64) OutputMap {
  float float_hi[16];  // hi - zero_point
  int16_t zero_point[32];
  uint8_t lo[64];
  uint8_t hi[64];
};

inline OutputMap MakeOutputMap(const OutputQuantization& q) {
  OutputMap map;
  for (float& x : map.float_hi) x = static_cast<float>(q.hi - q.zero_point);
  for (int16_t& x : map.zero_point) x = static_cast<int16_t>(q.zero_point);
  std::memset(map.lo, q.lo, sizeof map.lo);
  std::memset(map.hi, q.hi, sizeof map.hi);
  return map;
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_EPILOGUE_U8_H_
