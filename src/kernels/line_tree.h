// Lines and the 16-lane tree (both defined in kernels/reduce_f32.h) for kernel templates. Included by *.isa.cc alone.
#ifndef QLITE_KERNELS_LINE_TREE_H_
#define QLITE_KERNELS_LINE_TREE_H_

#include "kernels/simd_ops.h"

namespace qlite::kernels::QLITE_ISA {

// How many lanes of a vector are in use: all of them, known at compile time, or the first n.
struct AllLanes {
  VecF32 Load(const float* p) const { return VecF32::Load(p); }
  void Store(VecF32 v, float* p) const { v.Store(p); }
};
struct SomeLanes {
  int n;
  VecF32 Load(const float* p) const { return VecF32::LoadPartial(p, n); }
  void Store(VecF32 v, float* p) const { v.StorePartial(p, n); }
};

// The offsets 0, kLanes, ... below count: visit(offset, lanes).
template <typename Visit>
inline void ForEachVector(int64_t count, Visit visit) {
  int64_t i = 0;
  for (; i + VecF32::kLanes <= count; i += VecF32::kLanes) visit(i, AllLanes{});
  if (i < count) visit(i, SomeLanes{static_cast<int>(count - i)});
}

// The lines [begin, end) of a tensor with inner > 1, in groups that a vector holds side by side:
// visit(line, offset of its first element, lanes).
template <typename Visit>
inline void ForEachLineGroup(int64_t length, int64_t inner, int64_t begin, int64_t end, Visit visit) {
  for (int64_t line = begin; line < end;) {
    const int64_t outer = line / inner, column = line % inner;
    int64_t n = inner - column < end - line ? inner - column : end - line;
    const int64_t offset = outer * length * inner + column;
    if (n >= VecF32::kLanes) {
      n = VecF32::kLanes;
      visit(line, offset, AllLanes{});
    } else {
      visit(line, offset, SomeLanes{static_cast<int>(n)});
    }
    line += n;
  }
}

inline constexpr int kTreeLanes = 16;

struct SumTree {
  static VecF32 Join(VecF32 a, VecF32 b) { return a + b; }
};
struct ProductTree {
  static VecF32 Join(VecF32 a, VecF32 b) { return a * b; }
};
struct MaxTree {
  static VecF32 Join(VecF32 a, VecF32 b) { return MaxNan(a, b); }
};
struct MinTree {
  static VecF32 Join(VecF32 a, VecF32 b) { return MinNan(a, b); }
};

// The stages of the tree within a vector: lane j joins lane j + kHalf, and so on down to the lane 0 that it gives.
template <typename Tree, int kHalf>
inline float JoinLanes(VecF32 v) {
  if constexpr (kHalf == 0) {
    return FirstLane(v);
  } else {
    return JoinLanes<Tree, kHalf / 2>(Tree::Join(v, MoveDown<kHalf>(v)));
  }
}

// The tree over one contiguous line of `length` elements: step(accumulator, offset, lanes) gives the accumulator after
// the elements at offset.
template <typename Tree, typename Step>
inline float TreeAlong(int64_t length, float identity, Step step) {
  constexpr int kVectors = kTreeLanes / VecF32::kLanes;
  VecF32 accumulator[kVectors];
  for (int v = 0; v < kVectors; ++v) accumulator[v] = identity;
  int64_t i = 0;
  for (; i + kTreeLanes <= length; i += kTreeLanes) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) accumulator[v] = step(accumulator[v], i + v * VecF32::kLanes, AllLanes{});
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    const int64_t rest = length - i - v * VecF32::kLanes;
    if (rest <= 0) break;
    if (rest >= VecF32::kLanes) {
      accumulator[v] = step(accumulator[v], i + v * VecF32::kLanes, AllLanes{});
    } else {
      const int n = static_cast<int>(rest);
      accumulator[v] =
          Select(FirstLanes(n), step(accumulator[v], i + v * VecF32::kLanes, SomeLanes{n}), accumulator[v]);
    }
  }
#pragma GCC unroll 4
  for (int half = kVectors / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int v = 0; v < half; ++v) accumulator[v] = Tree::Join(accumulator[v], accumulator[v + half]);
  }
  return JoinLanes<Tree, VecF32::kLanes / 2>(accumulator[0]);
}

// The same tree for a group of lines side by side, whose elements k are at offset k*inner of the first line:
// step(accumulator, offset).
template <typename Tree, typename Step>
inline VecF32 TreeAcross(int64_t length, int64_t inner, float identity, Step step) {
  VecF32 accumulator[kTreeLanes];
#pragma GCC unroll 16
  for (int j = 0; j < kTreeLanes; ++j) accumulator[j] = identity;
  int64_t k = 0;
  for (; k + kTreeLanes <= length; k += kTreeLanes) {
#pragma GCC unroll 16
    for (int j = 0; j < kTreeLanes; ++j) accumulator[j] = step(accumulator[j], (k + j) * inner);
  }
  for (int j = 0; k < length; ++j, ++k) accumulator[j] = step(accumulator[j], k * inner);
#pragma GCC unroll 4
  for (int half = kTreeLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int j = 0; j < half; ++j) accumulator[j] = Tree::Join(accumulator[j], accumulator[j + half]);
  }
  return accumulator[0];
}

}  // namespace qlite::kernels::QLITE_ISA

#endif  // QLITE_KERNELS_LINE_TREE_H_
