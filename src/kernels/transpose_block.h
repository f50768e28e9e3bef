// Transposition of small square blocks in 16-byte vectors of the compiler, which every processor of the supported kinds
// has without being asked.
#ifndef QLITE_KERNELS_TRANSPOSE_BLOCK_H_
#define QLITE_KERNELS_TRANSPOSE_BLOCK_H_

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
void Interleave(const typename BlockVector<T>::Type& a, const typename BlockVector<T>::Type& b,
                typename BlockVector<T>::Type out[2], std::index_sequence<kAt...>) {
  constexpr int kSide = kBlockSide<T>;
  out[0] = __builtin_shufflevector(a, b, (static_cast<int>(kAt) / 2 + static_cast<int>(kAt) % 2 * kSide)...);
  out[1] =
      __builtin_shufflevector(a, b, (kSide / 2 + static_cast<int>(kAt) / 2 + static_cast<int>(kAt) % 2 * kSide)...);
}

// out[r * out_stride + c] = in[c * in_stride + r] for r and c below kBlockSide. A block of n vectors is transposed by
// log2(n) rounds in which vector i meets vector i + n / 2, like the cards of a perfect shuffle.
template <typename T>
void TransposeBlock(const T* in, int64_t in_stride, T* out, int64_t out_stride) {
  constexpr int kSide = kBlockSide<T>;
  typename BlockVector<T>::Type now[kSide], next[kSide];
  for (int i = 0; i < kSide; ++i) std::memcpy(&now[i], in + i * in_stride, sizeof now[i]);
  for (int round = 1; round < kSide; round *= 2) {
    for (int i = 0; i < kSide / 2; ++i) {
      Interleave<T>(now[i], now[i + kSide / 2], next + 2 * i, std::make_index_sequence<kSide>());
    }
    std::memcpy(now, next, sizeof now);
  }
  for (int i = 0; i < kSide; ++i) std::memcpy(out + i * out_stride, &now[i], sizeof now[i]);
}

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_TRANSPOSE_BLOCK_H_
