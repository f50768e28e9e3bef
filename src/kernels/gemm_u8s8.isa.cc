#include "kernels/gemm_u8s8.h"

#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA {
namespace u8 {
namespace {

// Input elements of a block of rows that its panels pass over again and again: a good part of a second-level cache.
constexpr int64_t kBlockElements = 64 * 1024;
// Units that a product has at least, size permitting: enough to keep a handful of threads evenly busy.
constexpr int64_t kWantedUnits = 16;

// Rows are cut into tiles of nearly equal height, tiles into blocks; panels into groups where there are few blocks.
struct Blocking {
  explicit Blocking(const GemmU8S8Args& args)
      : tiles(DivideUp(args.m, kMaxTileRows)),
        panels(DivideUp(args.n, kPanelColumns)),
        blocks(CountBlocks(args)),
        groups(blocks == 0 ? 0 : Smaller(panels, DivideUp(kWantedUnits, blocks))),
        tile_rows(args.m, tiles),
        block_tiles(tiles, blocks),
        group_panels(panels, groups) {}
  int64_t CountBlocks(const GemmU8S8Args& args) const {
    if (panels == 0) return 0;
    const int64_t tile_elements = Larger(args.k, 1) * kMaxTileRows;
    const int64_t wanted = Larger(1, Smaller(kBlockElements / tile_elements, DivideUp(tiles, kWantedUnits)));
    return DivideUp(tiles, wanted);
  }
  int64_t Units() const { return blocks * groups; }
  int64_t BlockRows() const { return blocks == 0 ? 0 : DivideUp(tiles, blocks) * kMaxTileRows; }

  int64_t tiles;
  int64_t panels;
  int64_t blocks;
  int64_t groups;
  Partition tile_rows;
  Partition block_tiles;
  Partition group_panels;
};

size_t PackedBytes(int64_t k, int64_t n) {
  return static_cast<size_t>(PackedMatrix{n, Reduction{1, k}.Steps()}.Bytes());
}

void Pack(const GemmU8S8Weights& w, void* packed) {
  PackMatrix(
      Reduction{1, w.k}, w.n, w.bias, w.multipliers, w.input_zero_point,
      [&w](int64_t n, int64_t, int64_t k) { return w.data[k * w.stride_k + n * w.stride_n]; }, packed);
}

// Without a byte dot product a block of rows is widened to int16 first.
size_t WorkspaceBytes(const GemmU8S8Args& args) {
  if constexpr (sizeof(DotInput) == 1) return 0;
  const int64_t elements = Blocking(args).BlockRows() * RoundUp(args.k, kDotDepth);
  return static_cast<size_t>(elements * static_cast<int64_t>(sizeof(DotInput))) + kPackedAlignment;
}

int64_t Units(const GemmU8S8Args& args) { return Blocking(args).Units(); }

void RunUnit(const GemmU8S8Args& args, const Blocking& blocking, int64_t unit, const OutputMap& map, void* workspace) {
  const int64_t group = unit / blocking.blocks;
  const int64_t block = unit % blocking.blocks;
  const int64_t first_tile = blocking.block_tiles.Begin(block);
  const int64_t last_tile = blocking.block_tiles.Begin(block + 1);
  const int64_t first_row = blocking.tile_rows.Begin(first_tile);

  static constexpr DotInput kNoInput[kDotDepth] = {};
  const DotInput* input = kNoInput;
  int64_t stride = 0;
  if (args.k == 0) {
    // The one step that remains multiplies zero weights.
  } else if constexpr (sizeof(DotInput) == 1) {
    input = reinterpret_cast<const DotInput*>(args.a) + first_row * args.lda;
    stride = args.lda;
  } else {
    auto* widened = static_cast<DotInput*>(workspace);
    stride = RoundUp(args.k, kDotDepth);
    const int64_t rows = blocking.tile_rows.Begin(last_tile) - first_row;
    for (int64_t r = 0; r < rows; ++r) CopyInput(args.a + (first_row + r) * args.lda, widened + r * stride, stride);
    input = widened;
  }
  int64_t row_offsets[kMaxTileRows];
  for (int r = 0; r < kMaxTileRows; ++r) row_offsets[r] = r * stride;
  const int64_t run_offset = 0;
  const Epilogue epilogue = ChooseEpilogue(args.c == nullptr, args.output, HasSmallMultipliers(args.packed));

  const Reduction reduction = {1, args.k};
  const PackedMatrix matrix = {args.n, reduction.Steps()};
  const int64_t last_panel = blocking.group_panels.Begin(group + 1);
  for (int64_t panel = blocking.group_panels.Begin(group); panel < last_panel; ++panel) {
    PanelTiles tiles(args.packed, matrix, reduction, panel, epilogue, map);
    tiles.job.row_offsets = row_offsets;
    tiles.job.run_offsets = &run_offset;
    tiles.job.output_stride = args.ldc;
    for (int64_t tile = first_tile; tile < last_tile; ++tile) {
      const int64_t row = blocking.tile_rows.Begin(tile);
      tiles.job.input = input + (row - first_row) * stride;
      tiles.SetOutput(args.c, args.c_float, row * args.ldc);
      tiles.Run(blocking.tile_rows.Begin(tile + 1) - row);
    }
  }
}

void Run(const GemmU8S8Args& args, int64_t begin, int64_t end, void* workspace) {
  const Blocking blocking(args);
  const OutputMap map = MakeOutputMap(args.output);
  for (int64_t unit = begin; unit < end; ++unit) RunUnit(args, blocking, unit, map, workspace);
}

constexpr GemmU8S8Kernels kKernels = {&PackedBytes, &Pack, &WorkspaceBytes, &Units, &Run};

}  // namespace
}  // namespace u8

extern const GemmU8S8Kernels kGemmU8S8Kernels;
const GemmU8S8Kernels kGemmU8S8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
