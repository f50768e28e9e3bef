// Interleaving and transposition of small blocks in 16-byte vectors of the compiler, which every processor of the
// supported kinds has without being asked. Always inlined, so that no file compiled for more than those leaves its form
// to the others.
#ifndef QLITE_KERNELS_TRANSPOSE_BLOCK_H_
#define QLITE_KERNELS_TRANSPOSE_BLOCK_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace qlite::kernels {

// Elements of a side of the block.
template <typename T>
inline constexpr int kBlockSide = 16 / static_cast<int>(sizeof(T));

template <typename T>
struct BlockVector {
  using Type __attribute__((vector_size(16))) = T;
};

// The elements of the first halves of a and b, in turn; of the second halves.
template <typename T, size_t... kAt>
[[gnu::always_inline]] inline void Interleave(const typename BlockVector<T>::Type& a,
                                              const typename BlockVector<T>::Type& b,
                                              typename BlockVector<T>::Type out[2], std::index_sequence<kAt...>) {
  constexpr int kSide = kBlockSide<T>;
  out[0] = __builtin_shufflevector(a, b, (static_cast<int>(kAt) / 2 + static_cast<int>(kAt) % 2 * kSide)...);
  out[1] =
      __builtin_shufflevector(a, b, (kSide / 2 + static_cast<int>(kAt) / 2 + static_cast<int>(kAt) % 2 * kSide)...);
}

// The elements of kVectors vectors in turn: the first ones of all, the second ones, and so on. log2(kVectors) rounds in
// which vector i meets vector i + n / 2, like the cards of a perfect shuffle; each has vectors of its own, so that the
// compiler keeps them in registers.
template <typename T, int kVectors, int kRounds = std::countr_zero(static_cast<unsigned>(kVectors))>
[[gnu::always_inline]] inline void InterleaveAll(const typename BlockVector<T>::Type* in,
                                                 typename BlockVector<T>::Type* out) {
  typename BlockVector<T>::Type next[kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kVectors / 2; ++i) {
    Interleave<T>(in[i], in[i + kVectors / 2], (kRounds == 1 ? out : next) + 2 * i,
                  std::make_index_sequence<kBlockSide<T>>());
  }
  if constexpr (kRounds > 1) InterleaveAll<T, kVectors, kRounds - 1>(next, out);
}

// out[r * out_stride + c] = in[c * in_stride + r] for r and c below kBlockSide.
template <typename T>
[[gnu::always_inline]] inline void TransposeBlock(const T* in, int64_t in_stride, T* out, int64_t out_stride) {
  constexpr int kSide = kBlockSide<T>;
  typename BlockVector<T>::Type rows[kSide], columns[kSide];
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) std::memcpy(&rows[i], in + i * in_stride, sizeof rows[i]);
  InterleaveAll<T, kSide>(rows, columns);
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) std::memcpy(out + i * out_stride, &columns[i], sizeof columns[i]);
}

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_TRANSPOSE_BLOCK_H_
