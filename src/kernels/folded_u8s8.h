// Convolutions of bytes whose groups have a fraction of a vector of channels, as many in as out. The tile of
// kernels/tile_u8s8.h broadcasts one step of kDotDepth channels to all columns, so that groups that share a vector
// multiply each other's zeros. Here a step of the reduction is what a 128-bit lane holds of a pixel's channels, of one
// group or of several, and goes to all 128-bit lanes of the weights: an int32 lane sums up kDotDepth channels of its
// own group alone. Where a group has more of them it has as many sums for a column, which are added up, or folded, in
// the end: `folds` is how many vectors of sums there are for a vector of columns.
//
// Vector v of the weights of a step holds in lane l the elements of int32 lane l % 4 of the input, for output
// 4 * v + l / 4 of their group.
//
// Included by *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_FOLDED_U8S8_H_
#define QLITE_KERNELS_FOLDED_U8S8_H_

#include <cstdint>
#include <cstring>

#include "kernels/simd_u8.h"

// Groups that fill the steps and the vectors are not for it: shorter vectors are full with four or eight columns.
#if QLITE_ISA_avx512vnni && !QLITE_ISA_amxint8
#define QLITE_FOLDS_GROUPS 1
#else
#define QLITE_FOLDS_GROUPS 0
#endif

namespace qlite::kernels::QLITE_ISA::u8 {

inline constexpr int kLanes = VecWide::kLanes;
inline constexpr bool kFoldsGroups = QLITE_FOLDS_GROUPS;
inline constexpr int kMaxFolds = 2;
// Elements of a step.
inline constexpr int kFoldedStep = 4 * kDotDepth;

// The folds of groups of so many channels, or 0 where other tiles are for them.
inline int FoldsOfGroups(int64_t width) {
  if (!kFoldsGroups || width == 0 || width % kDotDepth != 0 || kMaxFolds % (width / kDotDepth) != 0) return 0;
  return static_cast<int>(width / kDotDepth);
}

// Puts the elements of some steps of a column into their lanes; those of other groups are zero.
inline void PackFolded(const int8_t* elements, int64_t count, int column, int folds, DotWeight* to) {
  const int width = folds * kDotDepth, output = column % width;
  const int own = column - output;
  for (int64_t step = 0; step < count; step += kFoldedStep, to += folds * kLanes * kDotDepth) {
    DotWeight* vector = to + output / 4 * kLanes * kDotDepth;
    for (int i = 0; i < width; ++i) vector[output % 4 * kFoldedStep + own + i] = elements[step + own + i];
  }
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_FOLDED_U8S8_H_
