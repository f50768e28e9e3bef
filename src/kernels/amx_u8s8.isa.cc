#include "kernels/amx_u8s8.h"

#include "kernels/store_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {
namespace {

// The eight tile registers: sums of two groups of rows by two vectors of columns, two tiles of input, two of weights.
constexpr int kMaxGroups = 2;
constexpr int SumTile(int group, int vector) { return 2 * group + vector; }
constexpr int InputTile(int group) { return 4 + group; }
constexpr int WeightTile(int vector) { return 6 + vector; }
constexpr int kTileRegisters = 8;

template <int kTile>
inline QLITE_INLINE void LoadTile(const void* p, int64_t pitch) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(p), "r"(pitch), "i"(kTile));
}

template <int kTile>
inline QLITE_INLINE void StoreTile(void* p, int64_t pitch) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(p), "r"(pitch), "i"(kTile) : "memory");
}

template <int kSums, int kInput, int kWeights>
inline QLITE_INLINE void MultiplyTiles() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kInput), "i"(kWeights));
}

// Up to kTileRows rows of a line that are computed together. All tiles of a grid have the same height; where the line
// does not divide, a shorter group begins with the last row of the one before, which is computed again.
struct Group {
  const DotInput* input;
  int rows;
  int repeated;  // 0 or 1, never for the first of a line
};

// The groups of rows that share the weights that are loaded for them. Their rows of the output lie behind each other.
struct Block {
  Group group[kMaxGroups];
  int groups;
  int64_t row;  // of the output
  int Rows() const { return group[0].rows + (groups == 2 ? group[1].rows : 0); }
};

// The blocks of a grid, from the first on.
class Blocks {
 public:
  Blocks(const RowGrid& grid, const DotInput* input)
      : grid_(grid), input_(input), parts_(Parts(grid)), part_rows_(grid.width, parts_) {}
  static int64_t Parts(const RowGrid& grid) { return DivideUp(grid.width, MatrixUnit::kTileRows); }
  static int64_t TileRows(const RowGrid& grid) { return DivideUp(grid.width, Parts(grid)); }
  bool Next(Block* block) {
    block->groups = 0;
    block->row = row_;
    while (block->groups < kMaxGroups && line_ < grid_.lines) block->group[block->groups++] = NextGroup();
    return block->groups > 0;
  }

 private:
  Group NextGroup() {
    const int64_t begin = part_rows_.Begin(part_);
    const int64_t rows = part_rows_.Begin(part_ + 1) - begin;
    const int64_t repeated = part_rows_.Begin(1) - rows;
    const Group group = {input_ + line_ * grid_.line_pitch + (begin - repeated) * grid_.row_pitch,
                         static_cast<int>(rows), static_cast<int>(repeated)};
    row_ += rows;
    if (++part_ == parts_) {
      part_ = 0;
      ++line_;
    }
    return group;
  }

  const RowGrid& grid_;
  const DotInput* input_;
  int64_t parts_;  // of a line
  Partition part_rows_;
  int64_t line_ = 0;
  int64_t part_ = 0;
  int64_t row_ = 0;
};

// The sums of a block in a panel: [vector][row][lane]. The second group's follow those of the first.
using Sums = int32_t[2][MatrixUnit::kBlockRows][kLanes];

// A block whose sums were spilled: rows [row, end) of them are to be stored.
struct Spilled {
  TileOutput output;  // of the row `first`
  int64_t output_stride = 0;
  int vectors = 1;
  int first = 0;
  int row = 0;
  int end = 0;
};

template <Epilogue kEpilogue, int kVectors, int kRows>
inline QLITE_INLINE void StoreRows(const TileOutput& output, const Sums& sums, int row) {
  Accumulators<kRows, kVectors> acc;
  Unroll<kRows * kVectors>([&](auto i) QLITE_INLINE {
    constexpr int kRow = i.value / kVectors;
    constexpr int kVector = i.value % kVectors;
    acc.at[kRow][kVector] = VecWide::LoadI32(sums[kVector][row + kRow]);
  });
  Store<kEpilogue, kRows, kVectors>(output, acc);
}

// Stores the next rows, `count` times as many as make whole vectors of bytes.
template <Epilogue kEpilogue, int kVectors>
void StoreSome(const Sums& sums, int64_t count, Spilled* spilled) {
  constexpr int kTogether = 4 / kVectors;
  constexpr int64_t kElementBytes = kEpilogue == Epilogue::kFloat ? sizeof(float) : 1;
  // A copy: bytes that are stored may alias anything.
  TileOutput output = spilled->output;
  const int64_t stride = spilled->output_stride;
  const int64_t row_outputs[4] = {0, stride, 2 * stride, 3 * stride};
  output.row_outputs = row_outputs;
  const int64_t row_bytes = stride * kElementBytes;
  int row = spilled->row;
  output.output = static_cast<uint8_t*>(output.output) + (row - spilled->first) * row_bytes;
  const int end = static_cast<int>(Smaller(spilled->end, row + count * kTogether));
  for (; row + kTogether <= end; row += kTogether) {
    StoreRows<kEpilogue, kVectors, kTogether>(output, sums, row);
    output.output = static_cast<uint8_t*>(output.output) + kTogether * row_bytes;
  }
  for (; row < end; ++row) {
    StoreRows<kEpilogue, kVectors, 1>(output, sums, row);
    output.output = static_cast<uint8_t*>(output.output) + row_bytes;
  }
  spilled->row = row;
}

using StoreFunction = void (*)(const Sums&, int64_t, Spilled*);

StoreFunction ChooseStore(Epilogue epilogue, int vectors) {
  static constexpr StoreFunction kStore[3][2] = {
      {&StoreSome<Epilogue::kFloat, 1>, &StoreSome<Epilogue::kFloat, 2>},
      {&StoreSome<Epilogue::kClamped, 1>, &StoreSome<Epilogue::kClamped, 2>},
      {&StoreSome<Epilogue::kSaturated, 1>, &StoreSome<Epilogue::kSaturated, 2>}};
  return kStore[static_cast<int>(epilogue)][vectors - 1];
}

void StoreRest(Epilogue epilogue, const Sums& sums, Spilled* spilled) {
  ChooseStore(epilogue, spilled->vectors)(sums, MatrixUnit::kBlockRows, spilled);
}

// Lines behind each other, into the first-level cache.
template <int kLines>
inline QLITE_INLINE void PrefetchLines(const void* p) {
  Unroll<kLines>([&](auto i) QLITE_INLINE { __builtin_prefetch(static_cast<const char*>(p) + i.value * 64, 0, 3); });
}

// Computes the sums of a block. Where that takes long, the spilled ones of the block before are stored in the meantime,
// some rows after each chunk: the processor does not look far enough ahead to do so by itself.
template <int kGroups, int kVectors>
void Multiply(const TileJob& job, int64_t row_pitch, const Reduction& reduction, const Block& block, const Sums& sums,
              StoreFunction store, Spilled* spilled) {
  const int64_t chunks = reduction.RunChunks();
  const int64_t chunk_steps = reduction.ChunkSteps();
  constexpr int64_t kLong = 16;
  const bool stores = reduction.runs * chunks >= kLong;
  constexpr int64_t kStepBytes = kVectors * VecWide::kBytes;
  const int64_t chunk_bytes = chunk_steps * kStepBytes;
  // One row of biases for all rows.
  Unroll<kGroups * kVectors>([&](auto i) QLITE_INLINE {
    LoadTile<SumTile(i.value / kVectors, i.value % kVectors)>(job.bias + i.value % kVectors * kLanes, 0);
  });
  const DotWeight* weights = job.weights;
  for (int64_t run = 0; run < reduction.runs; ++run) {
    int64_t offset = job.first_run[run].input;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      Unroll<kGroups>([&](auto g) QLITE_INLINE {
        LoadTile<InputTile(g.value)>(block.group[g.value].input + offset, row_pitch);
        Unroll<kVectors>([&](auto v) QLITE_INLINE {
          if constexpr (g.value == 0) LoadTile<WeightTile(v.value)>(weights + v.value * VecWide::kBytes, kStepBytes);
          MultiplyTiles<SumTile(g.value, v.value), InputTile(g.value), WeightTile(v.value)>();
        });
        constexpr int kLines = kMaxChunkSteps * kVectors / kGroups;
        PrefetchLines<kLines>(weights + chunk_bytes + g.value * kLines * 64);
      });
      offset += chunk_steps * kDotDepth;
      weights += chunk_bytes;
      if (stores && spilled->row < spilled->end) store(sums, 1, spilled);
    }
  }
}

void SpillSums(const Block& block, Sums* sums) {
  int second = 0;
  if (block.groups == 2) second = block.group[0].repeated + block.group[0].rows - block.group[1].repeated;
  Unroll<2>([&](auto v) QLITE_INLINE {
    StoreTile<SumTile(0, v.value)>((*sums)[v.value], VecWide::kBytes);
    if (block.groups == 2) StoreTile<SumTile(1, v.value)>((*sums)[v.value][second], VecWide::kBytes);
  });
}

// Computes a block and spills its sums, in whose place are those of the block before. Those are stored while the unit
// still works on this one.
void RunBlock(const MatrixProduct& product, const Block& block, int64_t panel, Sums* sums, Spilled* spilled) {
  PanelTiles tiles(product.packed, product.matrix, product.reduction, panel, product.epilogue, *product.map);
  tiles.job.first_run = product.runs;
  tiles.SetOutput(product.output, product.output_float, product.output_at + block.row * product.output_stride);
  using MultiplyFunction =
      void (*)(const TileJob&, int64_t, const Reduction&, const Block&, const Sums&, StoreFunction, Spilled*);
  static constexpr MultiplyFunction kMultiply[kMaxGroups][2] = {{&Multiply<1, 1>, &Multiply<1, 2>},
                                                                {&Multiply<2, 1>, &Multiply<2, 2>}};
  kMultiply[block.groups - 1][tiles.vectors - 1](tiles.job, product.rows.row_pitch, product.reduction, block, *sums,
                                                 ChooseStore(product.epilogue, spilled->vectors), spilled);
  StoreRest(product.epilogue, *sums, spilled);
  SpillSums(block, sums);
  spilled->output = tiles.job;
  spilled->output_stride = product.output_stride;
  spilled->vectors = tiles.vectors;
  spilled->first = spilled->row = block.group[0].repeated;
  spilled->end = spilled->row + block.Rows();
}

// Weights of at most so many bytes stay in the second-level cache, while blocks of rows pass by one after the other and
// are completed, so that input and output move only once. Larger ones pass by panel by panel, while the rows stay. Few
// rows stay better than many: many come in strides from the second-level cache for every panel.
constexpr int64_t kCachedWeightsBytes = 768 * 1024;
constexpr int64_t kCachedWeightsBytesForManyRows = 1280 * 1024;
constexpr int64_t kManyRows = 512;

// Blocks that pass by a panel of at most so many bytes before the next one: it stays in the first-level cache
// meanwhile.
constexpr int64_t kPanelBlocks = 4;
constexpr int64_t kCachedPanelBytes = 24 * 1024;

// What LDTILECFG reads.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfiguration) == 64);

}  // namespace

// The unit takes the time of its rows for each chunk, however few steps that has; vectors take that of rows times
// steps. A product that fills a quarter of its tiles is as fast either way, what moves the sums included.
bool MatrixUnit::IsFaster(int64_t width, const Reduction& reduction) {
  constexpr int64_t kFullTile = kTileRows * kMaxChunkSteps;
  if (width == 0) return false;
  const int64_t rows = DivideUp(width, DivideUp(width, kTileRows));
  return rows * reduction.ChunkSteps() >= kFullTile / 4;
}

void MatrixUnit::Release() {
  if (rows_ != 0) asm volatile("tilerelease");
}

void MatrixUnit::Configure(int64_t rows, int64_t chunk_steps) {
  if (rows == rows_ && chunk_steps == chunk_steps_) return;
  rows_ = rows;
  chunk_steps_ = chunk_steps;
  TileConfiguration configuration;
  for (int tile = 0; tile < kTileRegisters; ++tile) {
    const bool is_input = tile >= InputTile(0) && tile < WeightTile(0);
    configuration.row_bytes[tile] = static_cast<uint16_t>(is_input ? chunk_steps * kDotDepth : VecWide::kBytes);
    configuration.rows[tile] = static_cast<uint8_t>(tile < WeightTile(0) ? rows : chunk_steps);
  }
  asm volatile("ldtilecfg %0" : : "m"(configuration));
}

void MatrixUnit::Run(const MatrixProduct& product) {
  Configure(Blocks::TileRows(product.rows), product.reduction.ChunkSteps());
  // The input may have just been written, and tiles are loaded behind the compiler's back.
  asm volatile("" ::: "memory");
  const int64_t panels = product.last_panel - product.first_panel;
  const bool many_rows = product.rows.lines * product.rows.width >= kManyRows;
  const int64_t panel_bytes = product.matrix.PanelOffset(1) - product.matrix.PanelOffset(0);
  const bool cached = panels * panel_bytes <= (many_rows ? kCachedWeightsBytesForManyRows : kCachedWeightsBytes);
  const int64_t together = cached ? panels : 1;
  const int64_t group_blocks = panel_bytes <= kCachedPanelBytes ? kPanelBlocks : 1;
  alignas(64) Sums sums;
  Spilled spilled;
  for (int64_t first = product.first_panel; first < product.last_panel; first += together) {
    Blocks blocks(product.rows, product.input);
    for (bool more = true; more;) {
      Block group[kPanelBlocks];
      int64_t count = 0;
      while (count < group_blocks && (more = blocks.Next(&group[count]))) ++count;
      for (int64_t p = first; p < first + together; ++p) {
        for (int64_t i = 0; i < count; ++i) RunBlock(product, group[i], p, &sums, &spilled);
      }
    }
  }
  StoreRest(product.epilogue, sums, &spilled);
}

}  // namespace qlite::kernels::QLITE_ISA::u8
