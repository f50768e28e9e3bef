#include "kernels/gemm_u8s8.h"

#include "kernels/amx_u8s8.h"
#include "kernels/residual_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA {
namespace u8 {
namespace {

// Input elements of a unit's rows.
constexpr int64_t kUnitElements = 64 * 1024;
// Input elements of the rows that all panels of a thread pass over: a good part of a second-level cache, so that
// weights which exceed it are read few times. A matrix unit is so fast that the cache has to hold less of other things.
constexpr int64_t kPassElements = (kHasMatrixUnit ? 1024 : 256) * 1024;
// The same where rows are widened and all weights are of at most so many bytes, which stay in the cache anyway: rows
// that were just written are read from nearer then.
constexpr int64_t kNearPassElements = 128 * 1024;
constexpr int64_t kNearWeightsBytes = 256 * 1024;
// Units that a product has at least, size permitting: enough to keep a handful of threads evenly busy.
constexpr int64_t kWantedUnits = 16;

bool UsesMatrixUnit(const GemmU8S8Args& args) { return MatrixUnit::Pays(args.m, Reduction{1, args.k}); }

// Rows of a tile at most.
int64_t MaxTileRows(const GemmU8S8Args& args) { return UsesMatrixUnit(args) ? MatrixUnit::kBlockRows : kMaxTileRows; }

// Bytes of output that are made before a residual is added to them: they and those of the residual lie in a
// second-level cache by then.
constexpr int64_t kResidualPassBytes = 96 * 1024;

bool HasNearWeights(const GemmU8S8Args& args) {
  return sizeof(DotInput) > 1 && args.k * args.n * static_cast<int64_t>(sizeof(DotWeight)) <= kNearWeightsBytes;
}

// Rows are cut into tiles of nearly equal height, tiles into blocks; panels into groups where there are few blocks.
struct Blocking {
  explicit Blocking(const GemmU8S8Args& args)
      : tile_elements(Larger(args.k, 1) * MaxTileRows(args)),
        pass_elements(HasNearWeights(args) ? kNearPassElements : kPassElements),
        tiles(DivideUp(args.m, MaxTileRows(args))),
        residual_tiles(args.residual.data == nullptr ? tiles
                                                     : kResidualPassBytes / (MaxTileRows(args) * Larger(args.n, 1))),
        panels(DivideUp(args.n, kPanelColumns)),
        blocks(CountBlocks()),
        groups(blocks == 0 ? 0 : Smaller(panels, DivideUp(kWantedUnits, blocks))),
        tile_rows(args.m, tiles),
        block_tiles(tiles, blocks),
        group_panels(panels, groups) {}
  int64_t CountBlocks() const {
    if (panels == 0) return 0;
    const int64_t wanted = Larger(1, Smaller(kUnitElements / tile_elements, DivideUp(tiles, kWantedUnits)));
    return DivideUp(tiles, wanted);
  }
  int64_t Units() const { return blocks * groups; }
  // Tiles of a pass, which are widened at a time where that is needed.
  int64_t PassTiles() const { return Larger(1, Smaller(pass_elements / tile_elements, residual_tiles)); }

  int64_t tile_elements;  // of input
  int64_t pass_elements;
  int64_t tiles;
  int64_t residual_tiles;  // of a pass at most
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
      Reduction{1, w.k}, w.n, 0, w.bias, w.multipliers, w.input_zero_point,
      [&w](int64_t n, int64_t, int64_t begin, int64_t end, int8_t* to) {
        CopyStrided(w.data + begin * w.stride_k + n * w.stride_n, end - begin, w.stride_k, to);
      },
      packed);
}

// Without a byte dot product the rows of a pass are widened to int16 first.
size_t WorkspaceBytes(const GemmU8S8Args& args) {
  if constexpr (sizeof(DotInput) == 1) return 0;
  const Blocking blocking(args);
  const int64_t rows = Smaller(blocking.PassTiles(), blocking.tiles) * kMaxTileRows;
  const int64_t elements = rows * RoundUp(args.k, kDotDepth);
  return static_cast<size_t>(elements * static_cast<int64_t>(sizeof(DotInput))) + kPackedAlignment;
}

int64_t Units(const GemmU8S8Args& args) { return Blocking(args).Units(); }

// Tiles [first_tile, last_tile) of the panels [first_panel, last_panel).
struct Rectangle {
  int64_t first_tile, last_tile, first_panel, last_panel;
};

// What a rectangle makes.
OutputPart OutputOf(const GemmU8S8Args& args, const Blocking& blocking, const Rectangle& part) {
  const int64_t row = blocking.tile_rows.Begin(part.first_tile), column = part.first_panel * kPanelColumns;
  return {row, blocking.tile_rows.Begin(part.last_tile) - row, column,
          Smaller(args.n, part.last_panel * kPanelColumns) - column};
}

// The input of a rectangle's rows as the dot product takes it, `*stride` elements from row to row.
const DotInput* FindInput(const GemmU8S8Args& args, int64_t row, int64_t rows, void* workspace, int64_t* stride) {
  static constexpr DotInput kNoInput[kDotDepth] = {};
  *stride = 0;
  if (args.k == 0) return kNoInput;  // the one step that remains multiplies zero weights
  if constexpr (sizeof(DotInput) == 1) {
    *stride = args.lda;
    return reinterpret_cast<const DotInput*>(args.a) + row * args.lda;
  }
  *stride = RoundUp(args.k, kDotDepth);
  auto* widened = static_cast<DotInput*>(workspace);
  for (int64_t r = 0; r < rows; ++r) CopyInput(args.a + (row + r) * args.lda, widened + r * *stride, *stride);
  return widened;
}

void RunRectangle(const GemmU8S8Args& args, const Blocking& blocking, const Rectangle& part, const OutputMap& map,
                  void* workspace, MatrixUnit* matrix_unit) {
  const int64_t first_row = blocking.tile_rows.Begin(part.first_tile);
  const int64_t all_rows = blocking.tile_rows.Begin(part.last_tile) - first_row;
  int64_t stride;
  const DotInput* input = FindInput(args, first_row, all_rows, workspace, &stride);
  static constexpr TileRun kRun = {0, 0};
  const Epilogue epilogue = ChooseEpilogue(args.c == nullptr, args.output, HasSmallMultipliers(args.packed));
  const Reduction reduction = {1, args.k};
  const PackedMatrix matrix = {args.n, reduction.Steps()};
  if constexpr (kHasMatrixUnit) {
    if (UsesMatrixUnit(args)) {
      const RowGrid rows = {1, all_rows, 0, stride};
      return matrix_unit->Run({args.packed, matrix, reduction, epilogue, &map, rows, input, &kRun, part.first_panel,
                               part.last_panel, args.c, args.c_float, first_row * args.ldc, args.ldc});
    }
  }
  int64_t row_offsets[kMaxTileRows], row_outputs[kMaxTileRows];
  for (int r = 0; r < kMaxTileRows; ++r) row_offsets[r] = r * stride, row_outputs[r] = r * args.ldc;
  for (int64_t panel = part.first_panel; panel < part.last_panel; ++panel) {
    PanelTiles tiles(args.packed, matrix, reduction, panel, epilogue, map);
    tiles.job.row_offsets = row_offsets;
    tiles.job.row_outputs = row_outputs;
    tiles.job.first_run = &kRun;
    tiles.job.last_run = &kRun + 1;
    tiles.job.row_pitch = stride;
    tiles.job.output_pitch = args.ldc;
    tiles.job.output_is_far = IsFarOutput(args.m * args.ldc, args.k);
    for (int64_t tile = part.first_tile; tile < part.last_tile;) {
      const int64_t next = blocking.tile_rows.EndOfEqual(tile, part.last_tile);
      const int64_t row = blocking.tile_rows.Begin(tile);
      const int64_t rows = blocking.tile_rows.Begin(tile + 1) - row;
      tiles.job.input = input + (row - first_row) * stride;
      tiles.SetOutput(args.c, args.c_float, row * args.ldc);
      tiles.job.first_tile = tile - part.first_tile;
      tiles.job.last_tile = next - part.first_tile;
      const int64_t tile_bytes = rows * stride * static_cast<int64_t>(sizeof(DotInput));
      tiles.job.rows_ahead = panel == part.first_panel ? tile_bytes : 0;
      tiles.Run(rows);
      tile = next;
    }
  }
}

// Units are joined as far as they fill a rectangle: what a unit is matters only for dealing out the work.
void Run(const GemmU8S8Args& args, int64_t begin, int64_t end, void* workspace) {
  const Blocking blocking(args);
  const OutputMap map = MakeOutputMap(args.output);
  MatrixUnit matrix_unit;
  for (int64_t unit = begin; unit < end;) {
    const int64_t group = unit / blocking.blocks;
    const int64_t block = unit % blocking.blocks;
    const int64_t blocks = Smaller(blocking.blocks - block, end - unit);
    const int64_t groups = blocks == blocking.blocks ? (end - unit) / blocks : 1;
    unit += blocks * groups;
    const int64_t last_tile = blocking.block_tiles.Begin(block + blocks);
    for (int64_t tile = blocking.block_tiles.Begin(block); tile < last_tile;) {
      const int64_t pass_end = Smaller(last_tile, tile + blocking.PassTiles());
      const Rectangle part = {tile, pass_end, blocking.group_panels.Begin(group),
                              blocking.group_panels.Begin(group + groups)};
      RunRectangle(args, blocking, part, map, workspace, &matrix_unit);
      AddResidual(args.residual, OutputOf(args, blocking, part), args.c, args.ldc);
      tile = pass_end;
    }
  }
}

constexpr GemmU8S8Kernels kKernels = {&PackedBytes, &Pack, &WorkspaceBytes, &Units, &Run};

}  // namespace
}  // namespace u8

extern const GemmU8S8Kernels kGemmU8S8Kernels;
const GemmU8S8Kernels kGemmU8S8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
