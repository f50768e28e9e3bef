#include "kernels/conv_u8s8.h"

#include <cstring>

#include "kernels/amx_u8s8.h"
#include "kernels/conv_gather_u8s8.h"
#include "kernels/conv_pixels_u8s8.h"
#include "kernels/conv_plan_u8s8.h"
#include "kernels/conv_regions_u8s8.h"
#include "kernels/conv_strip_u8s8.h"
#include "kernels/gemm_u8s8.h"
#include "kernels/residual_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA {

extern const GemmU8S8Kernels kGemmU8S8Kernels;

namespace u8 {
namespace {

bool IsMatrixProduct(const ConvGeometry& g) {
  return g.kernel_h == 1 && g.kernel_w == 1 && g.stride_h == 1 && g.stride_w == 1 && g.pad_top == 0 &&
         g.pad_left == 0 && g.groups == 1 && g.out_h == g.in_h && g.out_w == g.in_w;
}

GemmU8S8Args MatrixProduct(const ConvU8S8Args& args) {
  const ConvGeometry& g = args.geometry;
  GemmU8S8Args product;
  product.m = g.batch * g.out_h * g.out_w;
  product.k = g.in_c;
  product.n = g.out_c;
  product.a = args.input;
  product.lda = g.in_pixel_stride;
  product.packed = args.packed;
  product.c = args.output;
  product.c_float = args.output_float;
  product.ldc = g.out_pixel_stride;
  product.output = args.quantization;
  product.residual = args.residual;
  return product;
}

// Lists the runs of some taps. Returns their end. A list has one at least: without taps it is one of no account.
TileRun* ListRuns(const ConvGeometry& g, const ConvPlan& plan, const Span& rows, const Span& columns,
                  TileRun* const first) {
  const int64_t run_steps = plan.reduction.RunSteps();
  TileRun* to = first;
  *first = {0, 0};
  if (columns.Taps() == 0) return first + 1;
  for (int64_t ky = rows.first_tap; ky < rows.last_tap; ++ky) {
    const int64_t row = ky * g.dilation_h * plan.row_pitch;
    if (plan.merged) {
      const int64_t left_out = columns.first_tap * plan.block_channels;
      *to++ = {row + left_out, ky * run_steps + left_out / kDotDepth};
    } else {
      for (int64_t kx = columns.first_tap; kx < columns.last_tap; ++kx) {
        *to++ = {row + kx * g.dilation_w * plan.pixel_pitch, (ky * g.kernel_w + kx) * run_steps};
      }
    }
  }
  return to == first ? to + 1 : to;
}

// The bias with what padding adds for the taps that a region leaves out.
void AddPadding(const ConvGeometry& g, const Region& region, const int32_t* bias, const int32_t* tap_sums,
                int32_t zero_point, int32_t* sums) {
  std::memset(sums, 0, kPanelColumns * sizeof(int32_t));
  for (int64_t ky = 0; ky < g.kernel_h; ++ky) {
    const bool has_row = ky >= region.rows.first_tap && ky < region.rows.last_tap;
    for (int64_t kx = 0; kx < g.kernel_w; ++kx, tap_sums += kPanelColumns) {
      if (has_row && kx >= region.columns.first_tap && kx < region.columns.last_tap) continue;
      for (int i = 0; i < kPanelColumns; ++i) sums[i] += tap_sums[i];
    }
  }
  for (int i = 0; i < kPanelColumns; ++i) {
    sums[i] = static_cast<int32_t>(static_cast<uint32_t>(bias[i]) +
                                   static_cast<uint32_t>(sums[i]) * static_cast<uint32_t>(zero_point - kInputOffset));
  }
}

// A step of weights for pixels that lie beyond all taps: they hold the bias and what padding adds.
alignas(64) constexpr DotWeight kNoWeights[kPanelColumns * kDotDepth] = {};

// What the units of a call share.
struct Call {
  const ConvU8S8Args& args;
  const ConvPlan& plan;
  const OutputMap& map;
  TileRun* runs;
  MatrixUnit* matrix_unit;
  DotInput* gathered;
};

// Which share of the next panel a tile fetches. Those that leave out taps do not reach all of it, and so take turns at
// the shares that the first `full` tiles leave.
int64_t ShareOf(int64_t tile, int64_t full, int vectors) {
  const int64_t left = TileJob::Shares(vectors) - full;
  return tile < full || tile >= full + 2 * left ? tile : full + (tile - full) % left;
}

// A panel of a unit: the tiles of all regions.
void RunPanel(const Call& call, const Pixels& pixels, const int32_t* tap_sums, int64_t output,
              const PanelTiles& panel_tiles) {
  const ConvGeometry& g = call.args.geometry;
  const ConvPlan& plan = call.plan;
  int64_t pixel = 0;
  int64_t panel_tile = 0;
  const bool has_full = pixels.region(0).Taps() == g.kernel_h * g.kernel_w;
  const int64_t full_tiles = has_full ? DivideUp(pixels.region(0).Pixels(), kMaxTileRows) : 0;
  for (int64_t i = 0; i < pixels.regions(); ++i) {
    const Region& region = pixels.region(i);
    PanelTiles tiles = panel_tiles;
    int32_t sums[kPanelColumns];
    tiles.job.first_run = call.runs;
    tiles.job.last_run = ListRuns(g, plan, region.rows, region.columns, call.runs);
    if (region.Taps() < g.kernel_h * g.kernel_w) {
      AddPadding(g, region, tiles.job.bias, tap_sums, call.args.input_zero_point, sums);
      tiles.job.bias = sums;
    }
    if (region.Taps() == 0) {
      tiles.job.weights = kNoWeights;
      tiles.job.run_steps = 1;
    } else if (plan.merged && region.columns.Taps() < g.kernel_w) {
      tiles.job.run_steps = region.columns.Taps() * plan.block_channels / kDotDepth;
    }
    const int64_t tile_count = DivideUp(region.Pixels(), kMaxTileRows);
    const Partition tile_pixels(region.Pixels(), tile_count);
    for (int64_t tile = 0; tile < tile_count; ++tile) {
      const int64_t first = tile_pixels.Begin(tile);
      tiles.job.row_offsets = pixels.Inputs(pixel + first);
      const Pixels::Output to = pixels.OutputsOf(region, pixel + first, first);
      tiles.job.row_outputs = to.rows;
      tiles.SetOutput(call.args.output, call.args.output_float, output + to.first);
      tiles.job.first_tile = ShareOf(panel_tile++, full_tiles, tiles.vectors);
      tiles.job.last_tile = tiles.job.first_tile + 1;
      tiles.Run(tile_pixels.Begin(tile + 1) - tile_pixels.Begin(tile));
    }
    pixel += region.Pixels();
  }
}

bool HasFarOutput(const ConvGeometry& g, const ConvPlan& plan) {
  return IsFarOutput(g.out_h * g.out_w * g.out_pixel_stride, plan.reduction.runs * plan.reduction.run_length);
}

// What the panels of a unit share.
struct UnitPanels {
  const uint8_t* packed;  // of the block
  PackedMatrix matrix;
  Epilogue epilogue;
  int64_t first, last;
  int64_t output;  // of the unit's first pixel, elements from the output of the call
};

// All gathered taps of a pixel.
constexpr TileRun kGatheredRun = {0, 0};

// `output`: of the first row, elements from the output of the call.
void RunOnMatrixUnit(const Call& call, const UnitPanels& panels, const RowGrid& rows, const DotInput* input,
                     const TileRun* runs, int64_t output) {
  call.matrix_unit->Run({panels.packed, panels.matrix, call.plan.reduction, panels.epilogue, &call.map, rows, input,
                         runs, panels.first, panels.last, call.args.output, call.args.output_float, output,
                         call.args.geometry.out_pixel_stride});
}

// A panel of gathered pixels, which are equally far apart everywhere. `pixel`: the first one, as numbered in the unit.
void RunGatheredPanel(const Call& call, const UnitPanels& panels, int64_t panel, int64_t pixel, int64_t count) {
  const int64_t out_pitch = call.args.geometry.out_pixel_stride;
  const int64_t in_pitch = call.plan.gathered_pitch;
  int64_t row_offsets[kMaxTileRows], row_outputs[kMaxTileRows];
  for (int r = 0; r < kMaxTileRows; ++r) row_offsets[r] = r * in_pitch, row_outputs[r] = r * out_pitch;
  PanelTiles tiles(panels.packed, panels.matrix, call.plan.reduction, panel, panels.epilogue, call.map);
  tiles.job.row_offsets = row_offsets;
  tiles.job.row_outputs = row_outputs;
  tiles.job.first_run = &kGatheredRun;
  tiles.job.last_run = &kGatheredRun + 1;
  tiles.job.row_pitch = in_pitch;
  tiles.job.output_pitch = out_pitch;
  tiles.job.output_is_far = HasFarOutput(call.args.geometry, call.plan);
  const int64_t tile_count = DivideUp(count, kMaxTileRows);
  const Partition tile_pixels(count, tile_count);
  for (int64_t tile = 0; tile < tile_count;) {
    const int64_t next = tile_pixels.EndOfEqual(tile, tile_count);
    const int64_t first = tile_pixels.Begin(tile);
    tiles.job.input = call.gathered + first * in_pitch;
    tiles.SetOutput(call.args.output, call.args.output_float, panels.output + (pixel + first) * out_pitch);
    tiles.job.first_tile = pixel / kMaxTileRows + tile;
    tiles.job.last_tile = tiles.job.first_tile + next - tile;
    tiles.Run(tile_pixels.Begin(tile + 1) - first);
    tile = next;
  }
}

void RunGathered(const Call& call, const UnitPanels& panels, int64_t pixels, const DotInput* strip) {
  const ConvGeometry& g = call.args.geometry;
  const ConvPlan& plan = call.plan;
  const int64_t part_count = DivideUp(pixels, plan.gathered_pixels);
  const Partition parts(pixels, part_count);
  for (int64_t part = 0; part < part_count; ++part) {
    const int64_t first = parts.Begin(part);
    const int64_t count = parts.Begin(part + 1) - first;
    GatherTaps(g, plan, strip, first, count, call.gathered);
    if constexpr (kHasMatrixUnit) {
      if (plan.on_matrix_unit) {
        RunOnMatrixUnit(call, panels, {1, count, 0, plan.gathered_pitch}, call.gathered, &kGatheredRun,
                        panels.output + first * g.out_pixel_stride);
        continue;
      }
    }
    for (int64_t panel = panels.first; panel < panels.last; ++panel) {
      RunGatheredPanel(call, panels, panel, first, count);
    }
  }
}

void RunUnit(const Call& call, const ConvUnit& unit, const DotInput* strip, Pixels* pixels) {
  const ConvU8S8Args& args = call.args;
  const ConvGeometry& g = args.geometry;
  const ConvPlan& plan = call.plan;
  const Partition group_panels(plan.panels, plan.panel_groups);
  const int64_t output =
      (unit.image * g.out_h + unit.row) * g.out_w * g.out_pixel_stride + unit.block * plan.block_columns;
  const int64_t first_column = unit.block * plan.block_columns;
  PackedMatrix matrix = plan.matrix;
  matrix.n = Smaller(matrix.n, g.out_c - first_column);  // the last block may have fewer groups
  const auto* packed = static_cast<const uint8_t*>(args.packed) + unit.block * plan.matrix.Bytes();
  const Epilogue epilogue = ChooseEpilogue(args.output == nullptr, args.quantization, HasSmallMultipliers(packed));
  const DotInput* input = strip + (plan.direct ? unit.block * plan.block_channels : 0);
  const UnitPanels panels = {
      packed, matrix, epilogue, group_panels.Begin(unit.panel_group), group_panels.Begin(unit.panel_group + 1), output};
  if (plan.gathers) return RunGathered(call, panels, unit.rows * g.out_w, input);
  if constexpr (kHasMatrixUnit) {
    if (plan.on_matrix_unit) {
      ListRuns(g, plan, {0, 0, 0, g.kernel_h}, {0, 0, 0, g.kernel_w}, call.runs);
      const RowGrid rows = {unit.rows, g.out_w, g.stride_h * plan.row_pitch, g.stride_w * plan.pixel_pitch};
      return RunOnMatrixUnit(call, panels, rows, input, call.runs, output);
    }
  }
  pixels->MoveTo(unit);
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    PanelTiles tiles(packed, matrix, plan.reduction, panel, epilogue, call.map);
    tiles.job.input = input;
    tiles.job.output_is_far = HasFarOutput(g, plan);
    RunPanel(call, *pixels, reinterpret_cast<const int32_t*>(packed + matrix.SumsOffset(panel)), output, tiles);
  }
}

// What a unit and those before it make, from a group of panels on.
OutputPart OutputOf(const ConvGeometry& g, const ConvPlan& plan, const ConvUnit& unit, int64_t first_group) {
  const Partition group_panels(plan.panels, plan.panel_groups);
  const int64_t block_end = Smaller(g.out_c, (unit.block + 1) * plan.block_columns);
  const int64_t block = unit.block * plan.block_columns;
  const int64_t first = block + group_panels.Begin(first_group) * kPanelColumns;
  const int64_t end = Smaller(block_end, block + group_panels.Begin(unit.panel_group + 1) * kPanelColumns);
  return {(unit.image * g.out_h + unit.row) * g.out_w, unit.rows * g.out_w, first, end - first};
}

size_t PackedBytes(const ConvU8S8Weights& w) {
  const int64_t block_groups = GroupsOfBlock(w);
  const PackedMatrix matrix = MatrixOfBlock(w, w.in_c / w.groups * block_groups, w.out_c / w.groups * block_groups);
  return static_cast<size_t>(DivideUp(w.groups, block_groups) * matrix.Bytes());
}

void Pack(const ConvU8S8Weights& w, void* packed) {
  const bool merged = MergesTaps(w.dilation_w);  // gathered taps have one run, from tap 0 on
  const int64_t block_groups = GroupsOfBlock(w);
  const int64_t group_channels = w.in_c / w.groups;
  const int64_t group_columns = w.out_c / w.groups;
  const int64_t block_channels = group_channels * block_groups;
  const int64_t block_columns = group_columns * block_groups;
  const Reduction reduction = MakeReduction(block_channels, w.kernel_h, w.kernel_w, merged, FoldsOf(w));
  const PackedMatrix matrix = MatrixOfBlock(w, block_channels, block_columns);
  const int64_t taps = w.kernel_h * w.kernel_w;
  auto* to = static_cast<uint8_t*>(packed);
  for (int64_t first = 0; first < w.out_c; first += block_columns) {
    const auto weights = [&](int64_t column, int64_t run, int64_t begin, int64_t end, int8_t* elements) {
      const int8_t* from = w.data + (first + column) * group_channels * taps + (merged ? run * w.kernel_w : run);
      const int64_t first_channel = column / group_columns * group_channels;
      if (block_groups > 1) std::memset(elements, 0, static_cast<size_t>(end - begin));  // the channels of other groups
      for (int64_t tap = begin / block_channels; tap * block_channels < end; ++tap) {
        const int64_t own = tap * block_channels + first_channel;
        const int64_t own_begin = Larger(begin, own), own_end = Smaller(end, own + group_channels);
        if (own_begin < own_end) {
          CopyStrided(from + (own_begin - own) * taps + tap, own_end - own_begin, taps, elements + (own_begin - begin));
        }
      }
    };
    PackMatrix(reduction, Smaller(block_columns, w.out_c - first), matrix.taps,
               w.bias == nullptr ? nullptr : w.bias + first, w.multipliers + first, w.input_zero_point, weights, to);
    to += matrix.Bytes();
  }
}

size_t WorkspaceBytes(const ConvU8S8Args& args) {
  if (IsMatrixProduct(args.geometry)) return kGemmU8S8Kernels.workspace_bytes(MatrixProduct(args));
  return static_cast<size_t>(ConvPlan(args).WorkspaceBytes());
}

int64_t Units(const ConvU8S8Args& args) {
  if (IsMatrixProduct(args.geometry)) return kGemmU8S8Kernels.units(MatrixProduct(args));
  return ConvPlan(args).units;
}

void Run(const ConvU8S8Args& args, int64_t begin, int64_t end, void* workspace) {
  const ConvGeometry& g = args.geometry;
  if (IsMatrixProduct(g)) return kGemmU8S8Kernels.run(MatrixProduct(args), begin, end, workspace);
  const ConvPlan plan(args);
  auto* memory = static_cast<uint8_t*>(workspace);
  const OutputMap map = MakeOutputMap(args.quantization);
  MatrixUnit matrix_unit;
  const Call call = {args,         plan,
                     map,          reinterpret_cast<TileRun*>(memory + plan.RunsOffset()),
                     &matrix_unit, reinterpret_cast<DotInput*>(memory + plan.GatheredOffset())};
  StripCopies copies(args, plan, reinterpret_cast<DotInput*>(memory + plan.StripOffset()));
  Pixels pixels(g, plan, memory);
  int64_t first_group = -1;  // of the panels that wait for the residual; -1: there are none
  for (int64_t index = begin; index < end; ++index) {
    const ConvUnit unit(plan, g.out_h, index);
    const DotInput* strip;
    if (plan.direct) {
      strip = reinterpret_cast<const DotInput*>(args.input) + unit.image * g.in_h * plan.row_pitch +
              unit.row * g.stride_h * plan.row_pitch;
    } else {
      strip = copies.Strip(unit);
    }
    RunUnit(call, unit, strip, &pixels);
    // Where the next unit makes more columns of the same rows, they wait for it: the longer a row, the better.
    if (first_group < 0) first_group = unit.panel_group;
    if (unit.panel_group + 1 < plan.panel_groups && index + 1 < end) continue;
    AddResidual(args.residual, OutputOf(g, plan, unit, first_group), args.output, g.out_pixel_stride);
    first_group = -1;
  }
}

constexpr ConvU8S8Kernels kKernels = {&PackedBytes, &Pack, &WorkspaceBytes, &Units, &Run};

}  // namespace
}  // namespace u8

extern const ConvU8S8Kernels kConvU8S8Kernels;
const ConvU8S8Kernels kConvU8S8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
