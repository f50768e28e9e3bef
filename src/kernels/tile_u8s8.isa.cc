#include "kernels/tile_u8s8.h"

#include "kernels/store_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {
namespace {

using V = VecWide;

// Independent sums that a small tile needs to hide the latency of the dot product; integer sums may be reordered.
template <int kRows, int kVectors>
constexpr int Splits() {
  return kRows * kVectors >= 8 ? 1 : kRows * kVectors >= 4 ? 2 : 4;
}

// Adds a dot product to a sum. Where that is an instruction of its own and there are several steps, the compiler must
// not see an addition: it would add the products of the steps to each other first, and has no registers for them.
inline QLITE_INLINE void Accumulate(V::I32 input, V::I32 weights, V::I32& sum) {
#if (QLITE_ISA_avx2 && !QLITE_ISA_avxvnni) || QLITE_ISA_avx512
  asm("vpaddd %1, %0, %0" : "+v"(sum) : "v"(V::Dot(V::Zero(), input, weights)));
#else
  sum = V::Dot(sum, input, weights);
#endif
}

template <int kRows, int kVectors>
inline QLITE_INLINE void Step(const DotInput* input, const int64_t* row_offsets, const DotWeight* weights,
                              Accumulators<kRows, kVectors>& acc) {
  V::I32 w[kVectors];
  Unroll<kVectors>([&](auto v) QLITE_INLINE { w[v.value] = V::LoadI32(weights + v.value * kLanes * kDotDepth); });
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    const V::I32 x = V::BroadcastInput(input + row_offsets[r.value]);
    Unroll<kVectors>([&](auto v) QLITE_INLINE { Accumulate(x, w[v.value], acc.at[r.value][v.value]); });
  });
}

// Into the second-level cache. Any address will do. (Inlined early: the compiler takes a function that does nothing but
// prefetch for one without effect and removes its calls.)
inline QLITE_INLINE void Prefetch(const void* p, int64_t distance) {
  __builtin_prefetch(static_cast<const char*>(p) + distance, 0, 2);
}

// kSteps steps, each into sums of its own where there are several.
template <int kSteps, int kSplits, int kRows, int kVectors>
inline QLITE_INLINE void Steps(const DotInput*& input, const int64_t* row_offsets, const DotWeight*& weights,
                               Accumulators<kRows, kVectors>* acc) {
  constexpr int kStepWeights = kVectors * kLanes * kDotDepth;
  Unroll<kSteps>([&](auto s) QLITE_INLINE {
    Step<kRows, kVectors>(input + s.value * kDotDepth, row_offsets, weights + s.value * kStepWeights,
                          acc[s.value % kSplits]);
  });
  input += kSteps * kDotDepth;
  weights += kSteps * kStepWeights;
}

// The sums of the tile whose first row is at `first_row`, the others at the offsets from there.
template <int kRows, int kVectors>
inline QLITE_INLINE void Reduce(const TileJob& job, const DotInput* first_row, const int64_t* row_offsets,
                                int64_t panel_ahead, Accumulators<kRows, kVectors>* acc) {
  constexpr int kSplits = Splits<kRows, kVectors>();
  constexpr int kSteps = kSplits > kUnrolledSteps ? kSplits : kUnrolledSteps;
  constexpr int kStepBytes = kDotDepth * static_cast<int>(sizeof(DotInput));
  // Small tiles are for small products.
  constexpr bool kPrefetchesRows = kRows >= 4;
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    Unroll<kVectors>([&](auto v) QLITE_INLINE {
      acc[0].at[r.value][v.value] = V::LoadI32(job.bias + v.value * kLanes);
      Unroll<kSplits - 1>([&](auto s) QLITE_INLINE { acc[s.value + 1].at[r.value][v.value] = V::Zero(); });
    });
  });
  const TileRun* run = job.first_run;
  const int64_t single_steps = static_cast<int64_t>(static_cast<uint64_t>(job.run_steps) % kSteps);
  const int64_t body_weights = (job.run_steps - single_steps) * kVectors * kLanes * kDotDepth;
  do {
    const DotInput* input = first_row + run->input;
    const DotWeight* weights = job.weights + run->step * (kVectors * kLanes * kDotDepth);
    // Counted by the weights alone: addresses take all registers, and a counter in memory would wait in the queue of
    // stores behind those of the tile before, which fills when their lines come from afar.
    for (const DotWeight* const end = weights + body_weights; weights != end;) {
      // Prefetching takes the units that multiply, too: once in a few steps it costs little. (Opaque, lest the
      // compiler count the sum along in memory or keep it with every offset.)
      int64_t ahead = panel_ahead;
      asm("" : "+r"(ahead));
      Unroll<kPrefetchedBytes / 64>([&](auto i) QLITE_INLINE { Prefetch(weights, ahead + i.value * 64); });
      if (kPrefetchesRows && job.rows_ahead != 0 && reinterpret_cast<uintptr_t>(input) % 64 < kSteps * kStepBytes) {
        const char* row = reinterpret_cast<const char*>(input) + job.rows_ahead;
        asm("" : "+r"(row));
        Unroll<kRows>([&](auto r) QLITE_INLINE { Prefetch(row, row_offsets[r.value] * sizeof(DotInput)); });
      }
      Steps<kSteps, kSplits>(input, row_offsets, weights, acc);
    }
    for (int64_t left = single_steps; left > 0; --left) Steps<1, kSplits>(input, row_offsets, weights, acc);
  } while (++run != job.last_run);
  Unroll<(kSplits - 1) * kRows * kVectors>([&](auto i) QLITE_INLINE {
    constexpr int kSplit = i.value / (kRows * kVectors) + 1;
    constexpr int kRow = i.value / kVectors % kRows;
    constexpr int kVector = i.value % kVectors;
    acc[0].at[kRow][kVector] = V::Add(acc[0].at[kRow][kVector], acc[kSplit].at[kRow][kVector]);
  });
}

// A call, lest the addresses of all rows be found beforehand for tiles that prefetch none. (The empty statement is what
// keeps it one: see Prefetch.)
__attribute__((noinline)) void PrefetchRows(const TileOutput& output, int64_t element_bytes, int rows) {
  // The end of each row: its beginning may lie in a line that the panel before has just written to.
  for (int r = 0; r < rows; ++r) {
    Prefetch(output.output, (output.row_outputs[r] + output.columns) * element_bytes - 1);
  }
  asm volatile("");
}

template <Epilogue kEpilogue, int kVectors, int kRows>
void Tiles(const TileJob& job) {
  constexpr int64_t kElementBytes = kEpilogue == Epilogue::kFloat ? sizeof(float) : 1;
  // Relative to the first row, which the input pointer takes in: one register less of the many that addresses take.
  // (Opaque, lest the compiler subtract in vectors: those are taken.)
  int64_t row_offsets[kRows];
  int64_t first_offset = job.row_offsets[0];
  asm("" : "+r"(first_offset));
  Unroll<kRows>(
      [&](auto r) QLITE_INLINE { row_offsets[r.value] = r.value == 0 ? 0 : job.row_offsets[r.value] - first_offset; });
  const DotInput* first_row = job.input + first_offset;
  TileOutput output = job;
  const int64_t output_pitch = job.output_pitch * kElementBytes;
  for (int64_t tile = job.first_tile; tile < job.last_tile; ++tile) {
    Accumulators<kRows, kVectors> acc[Splits<kRows, kVectors>()];
    if (job.output_is_far) PrefetchRows(output, kElementBytes, kRows);
    Reduce<kRows, kVectors>(job, first_row, row_offsets, job.PanelAhead(kVectors, tile), acc);
    Store<kEpilogue, kRows, kVectors>(output, acc[0]);
    first_row += kRows * job.row_pitch;
    output.output = static_cast<char*>(output.output) + kRows * output_pitch;
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
  return {{{{&Tiles<Epilogue::kFloat, 1, kRows>...}, {&Tiles<Epilogue::kFloat, 2, kRows>...}},
           {{&Tiles<Epilogue::kClamped, 1, kRows>...}, {&Tiles<Epilogue::kClamped, 2, kRows>...}},
           {{&Tiles<Epilogue::kSaturated, 1, kRows>...}, {&Tiles<Epilogue::kSaturated, 2, kRows>...}}}};
}

}  // namespace

const TileTable kTileTable = MakeTileTable(MakeRowList<kMaxTileRows>::Type{});

#if QLITE_FOLDS_GROUPS

namespace {

// The sums of kernels/folded_u8s8.h for the pieces of input that the rows have in each step.
template <int kRows, int kFolds>
inline QLITE_INLINE void ReduceFolded(const TileJob& job, V::I32 (&acc)[kRows][kFolds]) {
  constexpr int kStepWeights = kFolds * kLanes * kDotDepth;
  int64_t row_offsets[kRows];
  Unroll<kRows>([&](auto r) QLITE_INLINE {
    row_offsets[r.value] = job.row_offsets[r.value];
    Unroll<kFolds>([&](auto f) QLITE_INLINE { acc[r.value][f.value] = V::Zero(); });
  });
  const TileRun* run = job.first_run;
  do {
    const DotInput* input = job.input + run->input;
    const DotWeight* weights = job.weights + run->step * kStepWeights;
    for (const DotWeight* const end = weights + job.run_steps * kStepWeights; weights != end;) {
      V::I32 w[kFolds];
      Unroll<kFolds>([&](auto f) QLITE_INLINE { w[f.value] = V::LoadI32(weights + f.value * kLanes * kDotDepth); });
      Unroll<kRows>([&](auto r) QLITE_INLINE {
        const V::I32 x = V::BroadcastLane(input + row_offsets[r.value]);
        Unroll<kFolds>([&](auto f) QLITE_INLINE { Accumulate(x, w[f.value], acc[r.value][f.value]); });
      });
      weights += kStepWeights;
      input += kFoldedStep;
    }
  } while (++run != job.last_run);
}

template <Epilogue kEpilogue, int kFolds, int kRows>
void FoldedTile(const TileJob& job) {
  V::I32 folded[kRows][kFolds];
  ReduceFolded(job, folded);
  Accumulators<kRows, 1> acc;
  const V::I32 bias = V::LoadI32(job.bias);
  Unroll<kRows>([&](auto r) QLITE_INLINE { acc.at[r.value][0] = V::Add(bias, V::Fold(folded[r.value])); });
  Store<kEpilogue, kRows, 1>(job, acc);
}

template <int... kRows>
constexpr FoldedTileTable MakeFoldedTileTable(RowList<kRows...>) {
  return {{{{&FoldedTile<Epilogue::kFloat, 1, kRows>...}, {&FoldedTile<Epilogue::kFloat, 2, kRows>...}},
           {{&FoldedTile<Epilogue::kClamped, 1, kRows>...}, {&FoldedTile<Epilogue::kClamped, 2, kRows>...}},
           {{&FoldedTile<Epilogue::kSaturated, 1, kRows>...}, {&FoldedTile<Epilogue::kSaturated, 2, kRows>...}}}};
}

}  // namespace

const FoldedTileTable kFoldedTileTable = MakeFoldedTileTable(MakeRowList<kMaxTileRows>::Type{});

#endif

}  // namespace qlite::kernels::QLITE_ISA::u8
