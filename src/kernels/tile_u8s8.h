// The register tile that the int8 matrix product and convolution share, and the packed weights it reads. Included by
// *.isa.cc alone, like kernels/simd_u8.h.
//
// The reduction is a sequence of runs: stretches of input that are contiguous for every row of the tile. A GEMM has one
// run of length k; a convolution one for each kernel row (the taps of a row and their channels lie behind each other)
// or for each tap. Runs are padded to whole steps of kDotDepth with zero weights, so what a step reads behind the end
// of a run does not count.
//
// Weights are packed in panels of kPanelColumns output columns (the last one half as wide where that is enough):
// [panel][run][step][column of the panel][kDotDepth]. Columns stand in unpacked order (kernels/simd_u8.h): vector v,
// lane l holds the column 4 * (vectors * (l / 4) + v) + l % 4.
#ifndef QLITE_KERNELS_TILE_U8S8_H_
#define QLITE_KERNELS_TILE_U8S8_H_

#include <cstdint>
#include <cstring>

#include "kernels/folded_u8s8.h"
#include "kernels/quantized.h"
#include "kernels/simd_u8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

inline constexpr int kPanelColumns = 2 * kLanes;

// Rows of the tallest tile: two vectors of accumulators a row, two of weights, one of input, and one for the product
// where it is not fused with the sum. (With the 32 registers of AArch64, eight rows hide the latency of the sums.)
#if QLITE_ISA_avx512vnni
inline constexpr int kMaxTileRows = 14;
#elif QLITE_ISA_avx512
inline constexpr int kMaxTileRows = 13;
#elif QLITE_ISA_avx2 || QLITE_ISA_sse42
inline constexpr int kMaxTileRows = 6;
#elif QLITE_ISA_neon || QLITE_ISA_neondot
inline constexpr int kMaxTileRows = 8;
#else
inline constexpr int kMaxTileRows = 4;
#endif

inline constexpr int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline constexpr int64_t RoundUp(int64_t a, int64_t b) { return DivideUp(a, b) * b; }
inline constexpr int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline constexpr int64_t Larger(int64_t a, int64_t b) { return a > b ? a : b; }

// `total` things cut into nearly equal parts: part i is [Begin(i), Begin(i + 1)).
struct Partition {
  Partition(int64_t total, int64_t parts) : size(parts == 0 ? 0 : total / parts), longer(total - size * parts) {}
  int64_t Begin(int64_t i) const { return i * size + Smaller(i, longer); }
  // Of the parts [i, end), those from the first on that are of equal size end here.
  int64_t EndOfEqual(int64_t i, int64_t end) const { return i < longer ? Smaller(longer, end) : end; }
  int64_t size;
  int64_t longer;  // parts with one thing more, the first ones
};

// Steps that a matrix unit takes at once; at most one where there is none.
#if QLITE_ISA_amxint8
inline constexpr int kMaxChunkSteps = 16;
#else
inline constexpr int kMaxChunkSteps = 1;
#endif

// Whether the lines of an output of so many elements are fetched ahead: those of a large one have left the second-level
// cache by the time that the next panel writes to them, and stores wait for one another. Not of products of a short
// reduction, in whose time the prefetches would count.
constexpr bool IsFarOutput(int64_t elements, int64_t depth) { return elements >= 512 * 1024 && depth >= 256; }

// Steps in the body of the inner loop, and the bytes of the next panel that are prefetched there. What counts and
// prefetches takes its share of the instructions that a core starts in a cycle, which it shares with a neighbour on its
// other thread. A dot product of two instructions fills the body with two steps; without three operands it takes moves,
// too, and one step is enough.
#if QLITE_ISA_avxvnni || QLITE_ISA_avx512vnni || QLITE_ISA_neondot
inline constexpr int kUnrolledSteps = 4;
inline constexpr int kPrefetchedBytes = 128;
#elif QLITE_ISA_avx2 || QLITE_ISA_avx512
inline constexpr int kUnrolledSteps = 2;
inline constexpr int kPrefetchedBytes = 64;
#else
inline constexpr int kUnrolledSteps = 1;
inline constexpr int kPrefetchedBytes = 64;
#endif

struct Reduction {
  int64_t runs = 1;
  int64_t run_length = 0;  // elements, without padding
  int folds = 0;           // vectors of sums for one of columns (kernels/folded_u8s8.h), or 0
  // At least one, of zero weights if need be, so that loops over steps need no test in front. A run is cut into chunks
  // of equally many steps, and has fewer padding steps than chunks.
  int64_t RunSteps() const { return RunChunks() * ChunkSteps(); }
  int64_t RunChunks() const { return DivideUp(LeastSteps(), kMaxChunkSteps); }
  int64_t ChunkSteps() const { return DivideUp(LeastSteps(), RunChunks()); }
  int64_t LeastSteps() const { return run_length == 0 ? 1 : DivideUp(run_length, StepLength()); }
  int64_t StepLength() const { return folds == 0 ? kDotDepth : kFoldedStep; }
  int64_t Steps() const { return runs * RunSteps(); }
};

// Where the parts of the packed weights of a [reduction, n] matrix are, as offsets in bytes.
struct PackedMatrix {
  int64_t n;
  int64_t steps;
  // Equal parts of the reduction whose weights are summed up, for each column: [panel][tap][column of the panel].
  int64_t taps = 0;

  int64_t Panels() const { return DivideUp(n, kPanelColumns); }
  int64_t PaddedColumns() const { return Panels() * kPanelColumns; }
  int PanelVectors(int64_t panel) const { return n - panel * kPanelColumns > kLanes ? 2 : 1; }
  int64_t BiasOffset() const { return kPackedAlignment; }
  int64_t MultipliersOffset() const { return BiasOffset() + RoundUp(PaddedColumns() * 4, kPackedAlignment); }
  int64_t WeightsOffset() const { return 2 * MultipliersOffset() - BiasOffset(); }
  int64_t PanelOffset(int64_t panel) const { return WeightsOffset() + panel * steps * VecWide::kBytes * 2; }
  int64_t SumsOffset(int64_t panel) const {
    return RoundUp(PanelOffset(Panels()), kPackedAlignment) + panel * taps * kPanelColumns * 4;
  }
  int64_t Bytes() const { return RoundUp(SumsOffset(Panels()), kPackedAlignment); }

  static int Column(int vectors, int vector, int lane) { return 4 * (vectors * (lane / 4) + vector) + lane % 4; }
};

// n elements that lie `stride` apart, one behind the other.
inline void CopyStrided(const int8_t* from, int64_t n, int64_t stride, int8_t* to) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
  }
}

// Puts the elements of `steps` steps of a column into their lane, `pitch` weights from step to step.
inline void PackLane(const int8_t* elements, int64_t steps, int lane, int64_t pitch, DotWeight* to) {
  for (int64_t step = 0; step < steps; ++step, elements += kDotDepth, to += pitch) {
    DotWeight weights[kDotDepth];
    for (int i = 0; i < kDotDepth; ++i) weights[i] = elements[i];
    if constexpr (StepElement(0, 1) == 1) {
      std::memcpy(to + StepElement(lane, 0), weights, sizeof(weights));
    } else {
      for (int i = 0; i < kDotDepth; ++i) to[StepElement(lane, i)] = weights[i];
    }
  }
}

inline uint32_t SumOf(const int8_t* elements, int64_t n) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<uint32_t>(elements[i]);
  return sum;
}

// Adds the elements at the positions [begin, begin + count) of the whole reduction, padding not counted, to the sums of
// their taps.
inline void AddToTaps(const int8_t* elements, int64_t begin, int64_t count, int64_t tap_length, uint32_t* sums) {
  for (int64_t i = 0; i < count;) {
    const int64_t tap = (begin + i) / tap_length;
    const int64_t end = Smaller(count, (tap + 1) * tap_length - begin);
    sums[tap * kPanelColumns] += SumOf(elements + i, end - i);
    i = end;
  }
}

// Packs a matrix; the sums of `taps` parts of the reduction with it. `weights(column, run, begin, end, to)` writes the
// elements of a column at the positions [begin, end) of a run to `to`, in order. They are asked for a few positions of
// all of a panel's columns at a time, which lie together in the packed form.
template <class Weights>
void PackMatrix(const Reduction& reduction, int64_t n, int64_t taps, const int32_t* bias, const float* multipliers,
                int32_t zero_point, const Weights& weights, void* packed) {
  constexpr int64_t kPositions = 256;
  int8_t elements[kPositions + kDotDepth];
  const PackedMatrix matrix{n, reduction.Steps(), taps};
  auto* base = static_cast<uint8_t*>(packed);
  std::memset(base, 0, static_cast<size_t>(matrix.Bytes()));
  WriteHeader(multipliers, n, base);
  auto* packed_bias = reinterpret_cast<uint32_t*>(base + matrix.BiasOffset());
  auto* packed_multipliers = reinterpret_cast<float*>(base + matrix.MultipliersOffset());
  for (int64_t panel = 0; panel < matrix.Panels(); ++panel) {
    const int vectors = matrix.PanelVectors(panel);
    auto* to = reinterpret_cast<DotWeight*>(base + matrix.PanelOffset(panel));
    auto* tap_sums = reinterpret_cast<uint32_t*>(base + matrix.SumsOffset(panel));
    uint32_t sums[kPanelColumns] = {};
    const auto for_each_column = [&](const auto& visit) {
      for (int v = 0; v < vectors; ++v) {
        for (int lane = 0; lane < kLanes; ++lane) {
          const int64_t column = panel * kPanelColumns + PackedMatrix::Column(vectors, v, lane);
          if (column < n) visit(column, v, lane);
        }
      }
    };
    for (int64_t run = 0; run < reduction.runs; ++run) {
      for (int64_t begin = 0; begin < reduction.run_length; begin += kPositions) {
        const int64_t first_step = run * reduction.RunSteps() + begin / reduction.StepLength();
        const int64_t count = Smaller(kPositions, reduction.run_length - begin);
        for_each_column([&](int64_t column, int v, int lane) {
          weights(column, run, begin, begin + count, elements);
          std::memset(elements + count, 0, kDotDepth);  // the last step may be in part of padding
          sums[v * kLanes + lane] += SumOf(elements, count);
          if (taps > 0) {
            AddToTaps(elements, run * reduction.run_length + begin, count, reduction.runs * reduction.run_length / taps,
                      tap_sums + v * kLanes + lane);
          }
          if (reduction.folds > 0) {
            PackFolded(elements, count, lane, reduction.folds, to + first_step * reduction.folds * kLanes * kDotDepth);
          } else {
            PackLane(elements, DivideUp(count, kDotDepth), lane, vectors * kLanes * kDotDepth,
                     to + (first_step * vectors + v) * kLanes * kDotDepth);
          }
        });
      }
    }
    for_each_column([&](int64_t column, int v, int lane) {
      const int64_t slot = panel * kPanelColumns + v * kLanes + lane;
      const uint32_t own = bias == nullptr ? 0u : static_cast<uint32_t>(bias[column]);
      packed_bias[slot] = own - static_cast<uint32_t>(zero_point - kInputOffset) * sums[v * kLanes + lane];
      packed_multipliers[slot] = multipliers[column];
    });
  }
}

// Where the output of a tile goes, and how.
struct TileOutput {
  const float* multipliers;
  void* output;                // uint8_t or float, the first column
  const int64_t* row_outputs;  // of each row, elements from `output`
  int columns;                 // to store, 1..kPanelColumns
  const OutputMap* map;
};

// A run of the reduction.
struct TileRun {
  int64_t input;  // elements from the beginning of a row
  int64_t step;   // of the weights
};

// Tiles of equal height, below each other: rows x (columns of one panel). One after the other in one call, because what
// comes before the first sum of a tile would otherwise take as long as a step or two.
struct TileJob : TileOutput {
  const DotInput* input;
  const int64_t* row_offsets;  // of each row of the first tile, elements from `input`
  const TileRun* first_run;
  const TileRun* last_run;  // not included
  int64_t run_steps;
  const DotWeight* weights;
  const int32_t* bias;
  int64_t panel_steps;     // from the weights of a panel to those of the next one
  int64_t first_tile = 0;  // as numbered in the panel
  int64_t last_tile = 1;   // not included
  // From row to row of input and output, elements; of no account where there is one tile.
  int64_t row_pitch = 0;
  int64_t output_pitch = 0;
  // Distance in bytes to the rows of the next tile, which are prefetched; 0: nothing is.
  int64_t rows_ahead = 0;
  bool output_is_far = false;  // a tile's part of it is prefetched before its sums

  // The first tiles of a panel prefetch a share of the next one each.
  static constexpr int64_t Shares(int vectors) {
    return DivideUp(kUnrolledSteps * vectors * VecWide::kBytes, kPrefetchedBytes);
  }
  // Distance in bytes to the share of a tile.
  int64_t PanelAhead(int vectors, int64_t tile) const {
    return tile < Shares(vectors) ? panel_steps * vectors * VecWide::kBytes + tile * kPrefetchedBytes : 0;
  }
};

using TileFunction = void (*)(const TileJob&);

// Indexed by epilogue, vectors - 1, rows - 1.
struct TileTable {
  TileFunction function[3][2][kMaxTileRows];
};
extern const TileTable kTileTable;

// The same of kernels/folded_u8s8.h, indexed by epilogue, folds - 1, rows - 1. One tile a call.
struct FoldedTileTable {
  TileFunction function[3][kMaxFolds][kMaxTileRows];
};
extern const FoldedTileTable kFoldedTileTable;

inline const TileFunction* FindTiles(Epilogue epilogue, int vectors, int folds) {
  if constexpr (kFoldsGroups) {
    if (folds > 0) return kFoldedTileTable.function[static_cast<int>(epilogue)][folds - 1];
  }
  return kTileTable.function[static_cast<int>(epilogue)][vectors - 1];
}

// The tiles of a panel: what their jobs have in common, and the functions for 1, 2, ... rows. Callers fill in the
// input, the offsets and the output.
struct PanelTiles {
  PanelTiles(const void* packed, const PackedMatrix& matrix, const Reduction& reduction, int64_t panel,
             Epilogue epilogue, const OutputMap& map)
      : functions(FindTiles(epilogue, matrix.PanelVectors(panel), reduction.folds)),
        column(panel * kPanelColumns),
        vectors(matrix.PanelVectors(panel)) {
    const auto* base = static_cast<const uint8_t*>(packed);
    job.run_steps = reduction.RunSteps();
    job.panel_steps = matrix.steps;
    job.weights = reinterpret_cast<const DotWeight*>(base + matrix.PanelOffset(panel));
    job.bias = reinterpret_cast<const int32_t*>(base + matrix.BiasOffset()) + column;
    job.multipliers = reinterpret_cast<const float*>(base + matrix.MultipliersOffset()) + column;
    job.columns = static_cast<int>(Smaller(matrix.n - column, kPanelColumns));
    job.map = &map;
  }
  // The output is u8 or float; `at` is the element of its first row and of column 0 of the matrix.
  void SetOutput(uint8_t* output, float* output_float, int64_t at) {
    job.output =
        output == nullptr ? static_cast<void*>(output_float + at + column) : static_cast<void*>(output + at + column);
  }
  void Run(int64_t rows) const { functions[rows - 1](job); }

  TileJob job;
  const TileFunction* functions;
  int64_t column;
  int vectors;
};

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_TILE_U8S8_H_
