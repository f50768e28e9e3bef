// Depthwise 3x3 convolutions of bytes as streams: two output rows above each other are made from left to right, and
// what they share of the input stays in registers. For instruction sets whose dot product takes four bytes. With 16
// registers the compiler keeps some of it on the stack, which still costs less than gathering columns. Included by
// *.isa.cc alone, like kernels/simd_u8.h.
//
// The work is dot products, requantization and the shuffles that bring four taps of a channel into one lane, and all of
// them want the same few ports of the processor, so shuffles are what to save. At stride 1 a lane holds one column of
// the four rows under both kernels. At stride 2 it would be half empty: there the two rows under one kernel alone come
// as pairs of bytes in pairs of columns, and the row under both kernels as four columns; see FindStride2Tap.
#ifndef QLITE_KERNELS_DEPTHWISE_STREAM_U8S8_H_
#define QLITE_KERNELS_DEPTHWISE_STREAM_U8S8_H_

#include <cstdint>

#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

inline constexpr bool kCanStream = kDotDepth == 4;

// Input rows under two kernels above each other, at most.
inline constexpr int kStreamRows = 5;

// At stride 2 an output reads the columns L, M, R, of which R is the L of the next output. Its kernel is three vectors
// of weights: for the pair of rows in the columns before (x, L), the pair in (M, R), and the shared row in (x, L, M,
// R).
enum Stride2Vector { kPairBefore, kPair, kShared, kStride2VectorsOfRow };
inline constexpr int kStride2Vectors = 2 * kStride2VectorsOfRow;

struct Stride2Tap {
  int vector;
  int element;
};

// Where the tap (ky, kx) of output row 0 or 1 stands.
inline Stride2Tap FindStride2Tap(int row, int ky, int kx) {
  const int first = row * kStride2VectorsOfRow;
  const int shared = row == 0 ? 2 : 0;
  if (ky == shared) return {first + kShared, kx + 1};
  const int of_pair = ky - row;
  if (kx == 0) return {first + kPairBefore, 2 + of_pair};
  return {first + kPair, (kx - 1) * 2 + of_pair};
}

// Some output rows in one block of channels.
struct Stream {
  const uint8_t* rows[kStreamRows];  // under the kernels; pixels of zero points for those outside the image
  const uint8_t* outside;            // one such pixel
  int64_t pitch;                     // between pixels
  int64_t begin;                     // where a row of the first kernel begins
  int64_t end;                       // where a row of the image ends
  const uint8_t* block;              // bias and multipliers
  const uint8_t* weights;
  const OutputMap* map;
  int64_t outputs;  // of a row, at least one
  uint8_t* output;
  int64_t output_stride;
  int64_t row_pitch;
  int channels;  // to store
};

// Keeps a value in a register that the compiler would rather load again for each use, or compute from others.
template <class T>
inline QLITE_INLINE void Keep(T& value) {
#if QLITE_ISA_neondot
  asm("" : "+w"(value));
#else
  asm("" : "+v"(value));
#endif
}
inline QLITE_INLINE void Keep(int64_t& value) { asm("" : "+r"(value)); }

// Sums become bytes, in kRows output rows.
template <class V, Epilogue kEpilogue, int kRows>
inline QLITE_INLINE void StoreSums(const Stream& stream, const OutputMap& map, typename V::I32 (&sums)[kRows * 4],
                                   uint8_t* output, int64_t row_pitch, int channels) {
  const auto* multipliers = reinterpret_cast<const float*>(stream.block + 4 * V::kBytes);
  Unroll<4>([&](auto j) QLITE_INLINE {
    typename V::F32 m = V::LoadF32(multipliers + j.value * V::kLanes);
    Keep(m);
    Unroll<kRows>([&](auto r) QLITE_INLINE {
      sums[r.value * 4 + j.value] = V::template Round<kEpilogue>(V::Scale(sums[r.value * 4 + j.value], m), map);
    });
  });
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    V::StoreU8(output + r.value * row_pitch, V::template Narrow4<kEpilogue>(sums + r.value * 4, map), channels);
  });
}

// Stride 1. Functions of their own, so that the loops have all registers; columns take turns, so that none moves from
// register to register.
template <class V, Epilogue kEpilogue, int kRows>
[[gnu::noinline]] void StreamStride1(const Stream& stream) {
  using Column = typename V::I32[4];
  constexpr int kShiftBytes = 3 * 4 * V::kBytes;
  const uint8_t* const rows[4] = {stream.rows[0], stream.rows[1], stream.rows[2], stream.rows[3]};
  const uint8_t* const weights = stream.weights;
  const uint8_t* const bias = stream.block;
  const OutputMap& map = *stream.map;
  const int64_t pitch = stream.pitch;
  const int64_t row_pitch = stream.row_pitch;
  const int64_t output_stride = stream.output_stride;
  const auto* multipliers = reinterpret_cast<const float*>(bias + 4 * V::kBytes);
  const int channels = stream.channels;
  uint8_t* output = stream.output;
  int64_t at = stream.begin;

  const auto next = [&](Column& column) QLITE_INLINE {
    typename V::U8 taps[4];
    const bool inside = static_cast<uint64_t>(at) < static_cast<uint64_t>(stream.end);
    if (inside) [[likely]] {
      Unroll<4>([&](auto k) QLITE_INLINE { taps[k.value] = V::LoadU8(rows[k.value] + at); });
    } else {
      Unroll<4>([&](auto k) QLITE_INLINE { taps[k.value] = V::LoadU8(stream.outside); });
    }
    V::Interleave(taps, column);
    at += pitch;
    Keep(at);
  };
  // Outputs in kColumns neighbouring columns, which share what they load, half of the channels after half.
  const auto step = [&](auto count, const Column& c0, const Column& c1, Column& c2, Column& c3) QLITE_INLINE {
    constexpr int kColumns = count.value;
    constexpr int kOutputs = kColumns * kRows;
    next(c2);
    if constexpr (kColumns == 2) next(c3);
    typename V::I32 rounded[kOutputs][4];
    Unroll<2>([&](auto half) QLITE_INLINE {
      typename V::I32 sums[kOutputs][2];
      Unroll<2>([&](auto j) QLITE_INLINE {
        const typename V::I32 start = V::LoadI32(bias + (2 * half.value + j.value) * V::kBytes);
        Unroll<kOutputs>([&](auto i) QLITE_INLINE { sums[i.value][j.value] = start; });
      });
      Unroll<3 * kRows * 2>([&](auto i) QLITE_INLINE {
        constexpr int kTap = i.value / (2 * kRows);
        constexpr int kRow = i.value / 2 % kRows;
        constexpr int kVector = 2 * half.value + i.value % 2;
        typename V::I32 w = V::LoadI32(weights + kRow * kShiftBytes + (kTap * 4 + kVector) * V::kBytes);
        Keep(w);
        const Column& first = kTap == 0 ? c0 : kTap == 1 ? c1 : c2;
        sums[kRow * kColumns][i.value % 2] = V::Dot(sums[kRow * kColumns][i.value % 2], first[kVector], w);
        if constexpr (kColumns == 2) {
          const Column& second = kTap == 0 ? c1 : kTap == 1 ? c2 : c3;
          sums[kRow * kColumns + 1][i.value % 2] = V::Dot(sums[kRow * kColumns + 1][i.value % 2], second[kVector], w);
        }
      });
      Unroll<2>([&](auto j) QLITE_INLINE {
        constexpr int kVector = 2 * half.value + j.value;
        const typename V::F32 m = V::LoadF32(multipliers + kVector * V::kLanes);
        Unroll<kOutputs>([&](auto i) QLITE_INLINE {
          rounded[i.value][kVector] = V::template Round<kEpilogue>(V::Scale(sums[i.value][j.value], m), map);
        });
      });
    });
    Unroll<kOutputs>([&](auto i) QLITE_INLINE {
      V::StoreU8(output + i.value / kColumns * row_pitch + i.value % kColumns * output_stride,
                 V::template Narrow4<kEpilogue>(rounded[i.value], map), channels);
    });
    output += kColumns * output_stride;
  };

  Column columns[4];
  next(columns[0]);
  next(columns[1]);
  for (int64_t left = stream.outputs; left > 0; left -= 4) {
    if (left == 1) return step(Constant<1>{}, columns[0], columns[1], columns[2], columns[3]);
    step(Constant<2>{}, columns[0], columns[1], columns[2], columns[3]);
    if (left == 2) return;
    if (left == 3) return step(Constant<1>{}, columns[2], columns[3], columns[0], columns[1]);
    step(Constant<2>{}, columns[2], columns[3], columns[0], columns[1]);
  }
}

// Stride 2. The rows of one output row are 0, 1 and 2, of two rows 0 to 4; row 2 is the shared one.
template <class V, Epilogue kEpilogue, int kRows>
[[gnu::noinline]] void StreamStride2(const Stream& stream) {
  using U8 = typename V::U8;
  using I32 = typename V::I32;
  constexpr int kInputRows = 2 * kRows + 1;
  constexpr int kVectorBytes = 4 * V::kBytes;
  const uint8_t* const weights = stream.weights;
  const uint8_t* const bias = stream.block;
  const OutputMap& map = *stream.map;
  const int64_t pitch = stream.pitch;
  const int64_t row_pitch = stream.row_pitch;
  const int channels = stream.channels;
  const int64_t last = stream.end > pitch ? stream.end - pitch : 0;
  const uint8_t* rows[kInputRows];
  Unroll<kInputRows>([&](auto k) QLITE_INLINE { rows[k.value] = stream.rows[k.value]; });
  uint8_t* output = stream.output;
  int64_t at = stream.begin - pitch;

  // The pairs of rows and the shared row in two columns.
  struct Columns {
    I32 pairs[kRows][4];
    U8 shared[2];
  };
  const auto load = [&](int64_t from, U8(&taps)[kInputRows]) QLITE_INLINE {
    const bool inside = static_cast<uint64_t>(from) < static_cast<uint64_t>(stream.end);
    Unroll<kInputRows>([&](auto k)
                           QLITE_INLINE { taps[k.value] = V::LoadU8(inside ? rows[k.value] + from : stream.outside); });
  };
  const auto next = [&](Columns& columns) QLITE_INLINE {
    U8 middle[kInputRows], right[kInputRows];
    if (static_cast<uint64_t>(at) < static_cast<uint64_t>(last)) [[likely]] {
      Unroll<kInputRows>([&](auto k) QLITE_INLINE {
        middle[k.value] = V::LoadU8(rows[k.value] + at);
        right[k.value] = V::LoadU8(rows[k.value] + at + pitch);
      });
    } else {
      load(at, middle);
      load(at + pitch, right);
    }
    V::ZipBytes(middle[2], right[2], columns.shared);
    Unroll<kRows>([&](auto r) QLITE_INLINE {
      U8 upper[2], lower[2];
      V::ZipBytes(middle[3 * r.value], middle[3 * r.value + 1], upper);
      V::ZipBytes(right[3 * r.value], right[3 * r.value + 1], lower);
      V::ZipWords(upper, lower, columns.pairs[r.value]);
    });
    at += 2 * pitch;
    Keep(at);
  };
  const auto step = [&](const Columns& before, Columns& columns) QLITE_INLINE {
    I32 sums[kRows * 4];
    Unroll<kRows * 4>([&](auto i) QLITE_INLINE { sums[i.value] = V::LoadI32(bias + i.value % 4 * V::kBytes); });
    const auto add = [&](const I32(&taps)[4], auto row, auto vector) QLITE_INLINE {
      Unroll<4>([&](auto j) QLITE_INLINE {
        const uint8_t* w = weights + (row.value * kStride2VectorsOfRow + vector.value) * kVectorBytes;
        I32& sum = sums[row.value * 4 + j.value];
        sum = V::Dot(sum, taps[j.value], V::LoadI32(w + j.value * V::kBytes));
      });
    };
    Unroll<kRows>([&](auto r) QLITE_INLINE { add(before.pairs[r.value], r, Constant<kPairBefore>{}); });
    next(columns);
    I32 shared[4];
    V::ZipWords(before.shared, columns.shared, shared);
    Unroll<kRows>([&](auto r) QLITE_INLINE { add(shared, r, Constant<kShared>{}); });
    Unroll<kRows>([&](auto r) QLITE_INLINE { add(columns.pairs[r.value], r, Constant<kPair>{}); });
    StoreSums<V, kEpilogue, kRows>(stream, map, sums, output, row_pitch, channels);
    output += stream.output_stride;
  };

  Columns even, odd;
  next(even);
  for (int64_t left = stream.outputs;;) {
    step(even, odd);
    if (--left == 0) return;
    step(odd, even);
    if (--left == 0) return;
  }
}

template <class V, Epilogue kEpilogue>
void RunStream(const Stream& stream, int64_t stride, int64_t rows) {
  if (stride == 1) {
    if (rows == 2) return StreamStride1<V, kEpilogue, 2>(stream);
    return StreamStride1<V, kEpilogue, 1>(stream);
  }
  if (rows == 2) return StreamStride2<V, kEpilogue, 2>(stream);
  return StreamStride2<V, kEpilogue, 1>(stream);
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_DEPTHWISE_STREAM_U8S8_H_
