// The end of an int8 product: accumulators of some rows become bytes or floats of the output. Included by *.isa.cc
// alone, like kernels/simd_u8.h. Columns stand in the order of kernels/tile_u8s8.h.
#ifndef QLITE_KERNELS_STORE_U8S8_H_
#define QLITE_KERNELS_STORE_U8S8_H_

#include <cstdint>
#include <cstring>

#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

template <int kRows, int kVectors>
struct Accumulators {
  VecWide::I32 at[kRows][kVectors];
};

// Four vectors of int32 make one of bytes: those of two rows of a wide tile or of four rows of a narrow one.
template <Epilogue kEpilogue, int kRows, int kVectors>
inline QLITE_INLINE void StoreBytes(const TileOutput& out, const Accumulators<kRows, kVectors>& acc) {
  using V = VecWide;
  constexpr int kGathered = 4 / kVectors;
  // Bytes that are stored may alias anything: what is needed again is loaded once, but not ahead of the reduction,
  // where the registers are full.
  asm volatile("" ::: "memory");
  auto* output = static_cast<uint8_t*>(out.output);
  const int64_t* const rows = out.row_outputs;
  const int columns = out.columns;
  const OutputMap& map = *out.map;
  V::F32 multipliers[kVectors];
  Unroll<kVectors>([&](auto v) QLITE_INLINE { multipliers[v.value] = V::LoadF32(out.multipliers + v.value * kLanes); });
  Unroll<DivideUp(kRows, kGathered)>([&](auto part) QLITE_INLINE {
    constexpr int kFirst = part.value * kGathered;
    V::I32 rounded[4];
    Unroll<4>([&](auto j) QLITE_INLINE {
      // In place of rows that are missing the last one, lest zeros hold a register.
      constexpr int kRow = Smaller(kFirst + j.value / kVectors, kRows - 1);
      constexpr int kVector = j.value % kVectors;
      rounded[j.value] = V::Round<kEpilogue>(V::Scale(acc.at[kRow][kVector], multipliers[kVector]), map);
    });
    const V::U8 bytes = V::GatherRows<kGathered>(V::Narrow4<kEpilogue>(rounded, map));
    Unroll<kGathered>([&](auto j) QLITE_INLINE {
      if constexpr (kFirst + j.value < kRows) {
        V::StorePiece<kGathered, j.value>(output + rows[kFirst + j.value], bytes, columns);
      }
    });
  });
}

// The columns of a row that stand in the lanes [4 * i, 4 * i + 4) of a vector are neighbours.
template <int kRows, int kVectors>
inline void StoreFloats(const TileOutput& out, const Accumulators<kRows, kVectors>& acc) {
  using V = VecWide;
  constexpr int kColumns = kVectors * kLanes;
  auto* output = static_cast<float*>(out.output);
  for (int r = 0; r < kRows; ++r) {
    float unpacked[kColumns];
    for (int v = 0; v < kVectors; ++v) {
      V::StoreF32(unpacked + v * kLanes, V::Scale(acc.at[r][v], V::LoadF32(out.multipliers + v * kLanes)));
    }
    float partial[kColumns];
    const bool is_full = out.columns == kColumns;
    float* const row = is_full ? output + out.row_outputs[r] : partial;
    for (int i = 0; i < kColumns / 4; ++i) {
      std::memcpy(row + 4 * i, unpacked + i % kVectors * kLanes + i / kVectors * 4, 4 * sizeof(float));
    }
    if (!is_full) {
      std::memcpy(output + out.row_outputs[r], partial, static_cast<size_t>(out.columns) * sizeof(float));
    }
  }
}

template <Epilogue kEpilogue, int kRows, int kVectors>
inline QLITE_INLINE void Store(const TileOutput& out, const Accumulators<kRows, kVectors>& acc) {
  if constexpr (kEpilogue == Epilogue::kFloat) {
    StoreFloats<kRows, kVectors>(out, acc);
  } else {
    StoreBytes<kEpilogue, kRows, kVectors>(out, acc);
  }
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_STORE_U8S8_H_
