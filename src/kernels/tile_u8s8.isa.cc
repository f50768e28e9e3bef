#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {
namespace {

using V = VecWide;

template <int kRows, int kVectors>
struct Accumulators {
  V::I32 at[kRows][kVectors];
};

// Independent sums that a small tile needs to hide the latency of the dot product; integer sums may be reordered.
template <int kRows, int kVectors>
constexpr int Splits() {
  return kRows * kVectors >= 8 ? 1 : kRows * kVectors >= 4 ? 2 : 4;
}

template <int kRows, int kVectors>
inline QLITE_INLINE void Step(const DotInput* input, const int64_t* row_offsets, const DotWeight* weights,
                              Accumulators<kRows, kVectors>& acc) {
  V::I32 w[kVectors];
  Unroll<kVectors>([&](auto v) QLITE_INLINE { w[v.value] = V::LoadI32(weights + v.value * kLanes * kDotDepth); });
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    const V::I32 x = V::BroadcastInput(input + row_offsets[r.value]);
    Unroll<kVectors>([&](auto v)
                         QLITE_INLINE { acc.at[r.value][v.value] = V::Dot(acc.at[r.value][v.value], x, w[v.value]); });
  });
}

// Into the second-level cache. Any address will do.
inline void Prefetch(const void* p, int64_t distance) {
  __builtin_prefetch(static_cast<const char*>(p) + distance, 0, 2);
}

template <int kRows, int kVectors>
inline QLITE_INLINE void Reduce(const TileJob& job, Accumulators<kRows, kVectors>* acc) {
  constexpr int kSplits = Splits<kRows, kVectors>();
  constexpr int kStepWeights = kVectors * kLanes * kDotDepth;
  constexpr int kStepBytes = kDotDepth * static_cast<int>(sizeof(DotInput));
  // Small tiles are for small products.
  constexpr bool kPrefetchesRows = kRows >= 4;
  // Relative to the first row, which the input pointer takes in: one register less of the many that addresses take.
  int64_t row_offsets[kRows];
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    row_offsets[r.value] = r.value == 0 ? 0 : job.row_offsets[r.value] - job.row_offsets[0];
    Unroll<kVectors>([&](auto v) QLITE_INLINE {
      acc[0].at[r.value][v.value] = V::LoadI32(job.bias + v.value * kLanes);
      Unroll<kSplits - 1>([&](auto s) QLITE_INLINE { acc[s.value + 1].at[r.value][v.value] = V::Zero(); });
    });
  });
  const DotWeight* weights = job.weights;
  const int64_t* run_offset = job.run_offsets;
  const int64_t* const last_run = run_offset + job.runs;
  do {
    const DotInput* input = job.input + job.row_offsets[0] + *run_offset;
    const DotInput* const end = input + job.run_steps * kDotDepth;
    if constexpr (kSplits > 1) {
      for (; end - input >= kSplits * kDotDepth; input += kSplits * kDotDepth) {
        Unroll<kSplits>([&](auto s) QLITE_INLINE {
          Step<kRows, kVectors>(input + s.value * kDotDepth, row_offsets, weights + s.value * kStepWeights,
                                acc[s.value]);
        });
        weights += kSplits * kStepWeights;
      }
      if (input == end) continue;
    }
    do {
      Prefetch(weights, job.panel_ahead);
      if (kPrefetchesRows && job.rows_ahead != 0 && reinterpret_cast<intptr_t>(input) % 64 < kStepBytes) {
        Unroll<kRows>([&](auto r) QLITE_INLINE { Prefetch(input + row_offsets[r.value], job.rows_ahead); });
      }
      Step<kRows, kVectors>(input, row_offsets, weights, acc[0]);
      weights += kStepWeights;
      input += kDotDepth;
    } while (input != end);
  } while (++run_offset != last_run);
  Unroll<(kSplits - 1) * kRows * kVectors>([&](auto i) QLITE_INLINE {
    constexpr int kSplit = i.value / (kRows * kVectors) + 1;
    constexpr int kRow = i.value / kVectors % kRows;
    constexpr int kVector = i.value % kVectors;
    acc[0].at[kRow][kVector] = V::Add(acc[0].at[kRow][kVector], acc[kSplit].at[kRow][kVector]);
  });
}

// Four vectors of int32 make one of bytes: those of two rows of a wide tile or of four rows of a narrow one.
template <Epilogue kEpilogue, int kRows, int kVectors>
inline QLITE_INLINE void StoreBytes(const TileJob& job, const Accumulators<kRows, kVectors>& acc) {
  constexpr int kGathered = 4 / kVectors;
  auto* output = static_cast<uint8_t*>(job.output);
  Unroll<DivideUp(kRows, kGathered)>([&](auto part) QLITE_INLINE {
    constexpr int kFirst = part.value * kGathered;
    // Nothing is loaded ahead: the registers are full, and spilling accumulators would reach into the reduction.
    asm volatile("" ::: "memory");
    V::I32 rounded[4];
    Unroll<4>([&](auto j) QLITE_INLINE {
      constexpr int kRow = kFirst + j.value / kVectors;
      constexpr int kVector = j.value % kVectors;
      if constexpr (kRow < kRows) {
        const V::F32 m = V::LoadF32(job.multipliers + kVector * kLanes);
        rounded[j.value] = V::Round<kEpilogue>(V::Scale(acc.at[kRow][kVector], m), *job.map);
      } else {
        rounded[j.value] = V::Zero();
      }
    });
    const V::U8 bytes = V::GatherRows<kGathered>(V::Narrow4<kEpilogue>(rounded, *job.map));
    Unroll<kGathered>([&](auto j) QLITE_INLINE {
      constexpr int kRow = kFirst + j.value;
      if constexpr (kRow < kRows) {
        V::StorePiece<kGathered, j.value>(output + kRow * job.output_stride, bytes, job.columns);
      }
    });
  });
}

template <int kRows, int kVectors>
inline void StoreFloats(const TileJob& job, const Accumulators<kRows, kVectors>& acc) {
  auto* output = static_cast<float*>(job.output);
  for (int r = 0; r < kRows; ++r) {
    float unpacked[kVectors * kLanes];
    for (int v = 0; v < kVectors; ++v) {
      V::StoreF32(unpacked + v * kLanes, V::Scale(acc.at[r][v], V::LoadF32(job.multipliers + v * kLanes)));
    }
    float row[kVectors * kLanes];
    for (int v = 0; v < kVectors; ++v) {
      for (int lane = 0; lane < kLanes; ++lane) {
        row[PackedMatrix::Column(kVectors, v, lane)] = unpacked[v * kLanes + lane];
      }
    }
    std::memcpy(output + r * job.output_stride, row, static_cast<size_t>(job.columns) * sizeof(float));
  }
}

template <Epilogue kEpilogue, int kVectors, int kRows>
void Tile(const TileJob& job) {
  Accumulators<kRows, kVectors> acc[Splits<kRows, kVectors>()];
  Reduce<kRows, kVectors>(job, acc);
  if constexpr (kEpilogue == Epilogue::kFloat) {
    StoreFloats<kRows, kVectors>(job, acc[0]);
  } else {
    StoreBytes<kEpilogue, kRows, kVectors>(job, acc[0]);
  }
}

template <int... kRows>
struct RowList {};

template <int kCount, int... kRows>
struct MakeRowList : MakeRowList<kCount - 1, kCount, kRows...> {};
template <int... kRows>
struct MakeRowList<0, kRows...> {
  using Type = RowList<kRows...>;
};

template <int... kRows>
constexpr TileTable MakeTileTable(RowList<kRows...>) {
  return {{{{&Tile<Epilogue::kFloat, 1, kRows>...}, {&Tile<Epilogue::kFloat, 2, kRows>...}},
           {{&Tile<Epilogue::kClamped, 1, kRows>...}, {&Tile<Epilogue::kClamped, 2, kRows>...}},
           {{&Tile<Epilogue::kSaturated, 1, kRows>...}, {&Tile<Epilogue::kSaturated, 2, kRows>...}}}};
}

}  // namespace

const TileTable kTileTable = MakeTileTable(MakeRowList<kMaxTileRows>::Type{});

}  // namespace qlite::kernels::QLITE_ISA::u8
