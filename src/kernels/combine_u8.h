// Functions of two bytes, one of each of two tensors (kernels/elementwise_u8.h). Included by *.isa.cc alone.
#ifndef QLITE_KERNELS_COMBINE_U8_H_
#define QLITE_KERNELS_COMBINE_U8_H_

#include <cstdint>
#include <cstring>

#include "kernels/elementwise_u8.h"
#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// The n <= kBytes bytes at p; nothing behind them is read.
inline VecWide::U8 LoadSome(const uint8_t* p, int64_t n) {
  if (n == VecWide::kBytes) return VecWide::LoadU8(p);
#if QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
  return _mm512_maskz_loadu_epi8((uint64_t{1} << n) - 1u, p);
#else
  uint8_t bytes[VecWide::kBytes] = {};
  std::memcpy(bytes, p, static_cast<size_t>(n));
  return VecWide::LoadU8(bytes);
#endif
}

// output[i] = combine(a[i], b[i]) over rows, with `combine` from a vector of floats each to what is rounded. kRounding:
// kSaturated where no result exceeds an int32.
template <Epilogue kRounding, class Combine>
void CombineRow(const uint8_t* a, const uint8_t* b, bool scalar_b, uint8_t* output, int64_t cols, const OutputMap& map,
                const Combine& combine) {
  const VecWide::U8 same = VecWide::SetU8(scalar_b ? *b : 0);
  for (int64_t i = 0; i < cols; i += VecWide::kBytes) {
    const int64_t n = cols - i < VecWide::kBytes ? cols - i : VecWide::kBytes;
    VecWide::I32 x[4];
    VecWide::I32 y[4];
    VecWide::Widen4(LoadSome(a + i, n), x);
    VecWide::Widen4(scalar_b ? same : LoadSome(b + i, n), y);
    VecWide::I32 rounded[4];
    Unroll<4>([&](auto j) QLITE_INLINE {
      rounded[j.value] =
          VecWide::Round<kRounding>(combine(VecWide::ToFloat(x[j.value]), VecWide::ToFloat(y[j.value])), map);
    });
    VecWide::StoreU8(output + i, VecWide::Narrow4<Epilogue::kClamped>(rounded, map), static_cast<int>(n));
  }
}

// Of the row that a tensor of short rows is combined with, so many bytes of copies are laid side by side.
inline constexpr int64_t kCopiedBytes = 16 * VecWide::kBytes;

// Dense rows of at most kCopiedBytes with one row: many are taken at a time, since a row of a few channels would leave
// most of a vector empty.
template <Epilogue kRounding, class Combine>
void CombineShortRows(const BinaryU8Args& args, int64_t begin, int64_t end, const OutputMap& map,
                      const Combine& combine) {
  uint8_t copies[kCopiedBytes];
  const int64_t fitting = kCopiedBytes / args.cols;
  const int64_t together = fitting < end - begin ? fitting : end - begin;
  for (int64_t i = 0; i < together; ++i) {
    std::memcpy(copies + i * args.cols, args.b, static_cast<size_t>(args.cols));
  }
  for (int64_t row = begin; row < end; row += together) {
    const int64_t rows = end - row < together ? end - row : together;
    CombineRow<kRounding>(args.a + row * args.cols, copies, false, args.output + row * args.cols, rows * args.cols, map,
                          combine);
  }
}

template <Epilogue kRounding, class Combine>
void CombineRows(const BinaryU8Args& args, int64_t begin, int64_t end, const Combine& combine) {
  const OutputMap map = MakeOutputMap(args.quantization);
  const bool scalar_b = args.broadcast == BroadcastU8::kScalar;
  const bool dense_rows = args.a_stride == args.cols && args.output_stride == args.cols;
  if (dense_rows && (scalar_b || (args.broadcast == BroadcastU8::kNone && args.b_stride == args.cols))) {
    const int64_t first = begin * args.cols;
    CombineRow<kRounding>(args.a + first, scalar_b ? args.b : args.b + first, scalar_b, args.output + first,
                          (end - begin) * args.cols, map, combine);
    return;
  }
  if (dense_rows && args.broadcast == BroadcastU8::kRow && args.cols > 0 && args.cols <= kCopiedBytes / 2) {
    return CombineShortRows<kRounding>(args, begin, end, map, combine);
  }
  for (int64_t row = begin; row < end; ++row) {
    const uint8_t* b = args.broadcast == BroadcastU8::kNone ? args.b + row * args.b_stride : args.b;
    CombineRow<kRounding>(args.a + row * args.a_stride, b, scalar_b, args.output + row * args.output_stride, args.cols,
                          map, combine);
  }
}

// Whether every sum is far from the bounds of an int32; in practice they are.
inline bool HasSmallSums(const AddU8Coefficients& k) {
  constexpr float kFar = 1 << 30;
  const auto magnitude = [](float x) { return x < 0 ? -x : x; };
  return 255.0f * (magnitude(k.ka) + magnitude(k.kb)) + magnitude(k.kc) < kFar;
}

inline void Add(const BinaryU8Args& args, const AddU8Coefficients& coefficients, int64_t begin, int64_t end) {
  const VecWide::F32 ka = VecWide::SetF32(coefficients.ka);
  const VecWide::F32 kb = VecWide::SetF32(coefficients.kb);
  const VecWide::F32 kc = VecWide::SetF32(coefficients.kc);
  const auto sum = [&](VecWide::F32 a, VecWide::F32 b)
                       QLITE_INLINE { return VecWide::MultiplyAdd(a, ka, VecWide::MultiplyAdd(b, kb, kc)); };
  HasSmallSums(coefficients) ? CombineRows<Epilogue::kSaturated>(args, begin, end, sum)
                             : CombineRows<Epilogue::kClamped>(args, begin, end, sum);
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_COMBINE_U8_H_
