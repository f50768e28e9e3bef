#include "kernels/conv_u8s8.h"

#include <algorithm>

#include "kernels/amx_u8s8.h"
#include "kernels/conv_gather_u8s8.h"
#include "kernels/conv_plan_u8s8.h"
#include "kernels/conv_regions_u8s8.h"
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

void Fill(DotInput* to, int64_t n, int32_t value) {
  if constexpr (sizeof(DotInput) == 1) {
    std::memset(to, value, static_cast<size_t>(n));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<DotInput>(value);
  }
}

// Copies pixels of `channels` elements, `pitch` apart, one behind the other. Few channels go in whole vectors; what is
// read and written too much behind a pixel is overwritten by the next one, and behind the last there is slack.
void CopyPixels(const uint8_t* from, int64_t count, int64_t channels, int64_t pitch, DotInput* to) {
  constexpr int64_t kVector = 16;
  if (pitch == channels) return CopyInput(from, to, count * channels);
  if (channels > 4 * kVector) {
    for (int64_t x = 0; x < count; ++x) CopyInput(from + x * pitch, to + x * channels, channels);
    return;
  }
  for (int64_t x = 0; x < count; ++x, from += pitch, to += channels) {
    for (int64_t i = 0; i < channels; i += kVector) CopyInput(from + i, to + i, kVector);
  }
}

// The first `kept` rows of the strip are there already.
void CopyStrip(const ConvU8S8Args& args, const ConvPlan& plan, const ConvUnit& unit, int64_t kept, DotInput* strip) {
  const ConvGeometry& g = args.geometry;
  const int64_t channels = plan.block_channels;
  const int64_t in_rows = InputRows(g, unit.rows);
  const int64_t left = Smaller(g.pad_left, plan.strip_w);
  const int64_t inside = Larger(0, Smaller(g.in_w, plan.strip_w - left));
  const uint8_t* input = args.input + unit.image * g.in_h * g.in_w * g.in_pixel_stride + unit.block * channels;
  for (int64_t r = kept; r < in_rows; ++r) {
    DotInput* to = strip + r * plan.row_pitch;
    const int64_t y = unit.row * g.stride_h - g.pad_top + r;
    if (y < 0 || y >= g.in_h) {
      Fill(to, plan.row_pitch, args.input_zero_point);
      continue;
    }
    Fill(to, left * channels, args.input_zero_point);
    to += left * channels;
    CopyPixels(input + y * g.in_w * g.in_pixel_stride, inside, channels, g.in_pixel_stride, to);
    Fill(to + inside * channels, (plan.strip_w - left - inside) * channels, args.input_zero_point);
  }
}

// The strips of a thread, one after the other in the same memory.
class StripCopies {
 public:
  StripCopies(const ConvU8S8Args& args, const ConvPlan& plan, DotInput* strip)
      : args_(args), plan_(plan), strip_(strip) {}

  // Most follow on the one before, with some input rows in common.
  const DotInput* Strip(const ConvUnit& unit) {
    const ConvGeometry& g = args_.geometry;
    const bool same_image = unit.image == image_ && unit.block == block_;
    if (same_image && unit.row == row_) return strip_;
    const int64_t moved = (unit.row - row_) * g.stride_h;
    const int64_t kept = same_image && moved > 0 ? Larger(0, in_rows_ - moved) : 0;
    if (kept > 0) {
      std::memmove(strip_, strip_ + moved * plan_.row_pitch,
                   static_cast<size_t>(kept * plan_.row_pitch) * sizeof(DotInput));
    }
    CopyStrip(args_, plan_, unit, kept, strip_);
    image_ = unit.image;
    block_ = unit.block;
    row_ = unit.row;
    in_rows_ = InputRows(g, unit.rows);
    return strip_;
  }

 private:
  const ConvU8S8Args& args_;
  const ConvPlan& plan_;
  DotInput* strip_;
  int64_t image_ = -1;
  int64_t block_ = -1;
  int64_t row_ = -1;
  int64_t in_rows_ = 0;
};

// The output pixels of a unit in the order in which tiles take them, region by region.
class Pixels {
 public:
  Pixels(const ConvGeometry& g, const ConvPlan& plan, void* memory)
      : g_(g),
        plan_(plan),
        regions_(static_cast<Region*>(memory)),
        inputs_(reinterpret_cast<int64_t*>(static_cast<uint8_t*>(memory) + plan.PixelsOffset())),
        outputs_(inputs_ + plan.pixels) {
    for (int i = 0; i < kMaxTileRows; ++i) row_outputs_[i] = i * g.out_pixel_stride;
  }

  void MoveTo(const ConvUnit& unit) {
    const int64_t top = unit.row * g_.stride_h - g_.pad_top;
    const int64_t above = plan_.omits_rows ? Larger(0, -top) : 0;
    const int64_t below = plan_.omits_rows ? Larger(0, top + InputRows(g_, unit.rows) - g_.in_h) : 0;
    if (unit.rows == rows_ && above == above_ && below == below_) return;
    rows_ = unit.rows;
    above_ = above;
    below_ = below;
    CutRegions(unit);
    PlacePixels();
  }

  int64_t regions() const { return count_; }
  const Region& region(int64_t i) const { return regions_[i]; }
  // What a tile reads, `at` pixels on without gaps between the regions: elements from the first pixel of the unit.
  const int64_t* Inputs(int64_t at) const { return inputs_ + at; }
  // Where it goes, elements from the output of the first pixel. Pixels of whole rows need no list of their own.
  struct Output {
    int64_t first;
    const int64_t* rows;
  };
  Output OutputsOf(const Region& region, int64_t at, int64_t first) const {
    if (region.columns.Size() < g_.out_w) return {0, outputs_ + at};
    return {(region.rows.begin * g_.out_w + first) * g_.out_pixel_stride, row_outputs_};
  }

 private:
  void CutRegions(const ConvUnit& unit) {
    const Side rows = {g_.in_h, g_.kernel_h, g_.stride_h, g_.dilation_h, g_.pad_top};
    const Side columns = {g_.in_w, g_.kernel_w, g_.stride_w, g_.dilation_w, g_.pad_left};
    const int64_t tap_steps = plan_.omits_rows ? plan_.reduction.Steps() / (g_.kernel_h * g_.kernel_w) : 0;
    const int64_t column_tap_steps = plan_.omits_columns ? tap_steps : 0;
    const int64_t end = unit.row + unit.rows;
    count_ = 0;
    for (int64_t y = unit.row; y < end;) {
      Span span = rows.NextSpan(y, end, g_.out_w, tap_steps * g_.kernel_w);
      y = span.end;
      span.begin -= unit.row;
      span.end -= unit.row;
      for (int64_t x = 0; x < g_.out_w;) {
        regions_[count_] = {span, columns.NextSpan(x, g_.out_w, span.Size(), column_tap_steps * span.Taps())};
        x = regions_[count_++].columns.end;
      }
    }
    // The largest first: its tiles use all weights, and fetch all of the next panel's.
    std::iter_swap(regions_, std::max_element(regions_, regions_ + count_, [](const Region& a, const Region& b) {
                     return a.Pixels() < b.Pixels();
                   }));
  }

  void PlacePixels() {
    int64_t* input = inputs_;
    int64_t* output = outputs_;
    for (const Region* region = regions_; region != regions_ + count_; ++region) {
      const int64_t width = region->columns.Size();
      for (int64_t y = region->rows.begin; y < region->rows.end; ++y, input += width, output += width) {
        const int64_t x = region->columns.begin;
        Count(y * g_.stride_h * plan_.row_pitch, g_.stride_w * plan_.pixel_pitch, x, width, input);
        if (width < g_.out_w) Count(y * g_.out_w * g_.out_pixel_stride, g_.out_pixel_stride, x, width, output);
      }
    }
  }

  // start + step * first, start + step * (first + 1) and so on.
  static void Count(int64_t start, int64_t step, int64_t first, int64_t n, int64_t* to) {
    start += step * first;
    for (int64_t i = 0; i < n; ++i, start += step) to[i] = start;
  }

  const ConvGeometry& g_;
  const ConvPlan& plan_;
  Region* regions_;
  int64_t* inputs_;
  int64_t* outputs_;
  int64_t row_outputs_[kMaxTileRows];
  int64_t count_ = 0;
  // Of the last unit: one with as many rows that lie outside the image alike has the same pixels.
  int64_t rows_ = 0;
  int64_t above_ = 0;
  int64_t below_ = 0;
};

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

// A panel of gathered pixels, which are equally far apart everywhere. `pixel`: the first one, as numbered in the unit.
void RunGatheredPanel(const Call& call, const UnitPanels& panels, int64_t panel, int64_t pixel, int64_t count) {
  const int64_t out_pitch = call.args.geometry.out_pixel_stride;
  const int64_t in_pitch = call.plan.gathered_pitch;
  static constexpr TileRun kRun = {0, 0};
  int64_t row_offsets[kMaxTileRows], row_outputs[kMaxTileRows];
  for (int r = 0; r < kMaxTileRows; ++r) row_offsets[r] = r * in_pitch, row_outputs[r] = r * out_pitch;
  PanelTiles tiles(panels.packed, panels.matrix, call.plan.reduction, panel, panels.epilogue, call.map);
  tiles.job.row_offsets = row_offsets;
  tiles.job.row_outputs = row_outputs;
  tiles.job.first_run = &kRun;
  tiles.job.last_run = &kRun + 1;
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
        static constexpr TileRun kRun = {0, 0};
        const RowGrid rows = {1, count, 0, plan.gathered_pitch};
        call.matrix_unit->Run({panels.packed, panels.matrix, plan.reduction, panels.epilogue, &call.map, rows,
                               call.gathered, &kRun, panels.first, panels.last, call.args.output,
                               call.args.output_float, panels.output + first * g.out_pixel_stride, g.out_pixel_stride});
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
  const int64_t first_panel = group_panels.Begin(unit.panel_group);
  const int64_t last_panel = group_panels.Begin(unit.panel_group + 1);
  if (plan.gathers) {
    const UnitPanels panels = {packed, matrix, epilogue, first_panel, last_panel, output};
    return RunGathered(call, panels, unit.rows * g.out_w, input);
  }
  if constexpr (kHasMatrixUnit) {
    if (plan.on_matrix_unit) {
      ListRuns(g, plan, {0, 0, 0, g.kernel_h}, {0, 0, 0, g.kernel_w}, call.runs);
      const RowGrid rows = {unit.rows, g.out_w, g.stride_h * plan.row_pitch, g.stride_w * plan.pixel_pitch};
      return call.matrix_unit->Run({packed, matrix, plan.reduction, epilogue, &call.map, rows, input, call.runs,
                                    first_panel, last_panel, args.output, args.output_float, output,
                                    g.out_pixel_stride});
    }
  }
  pixels->MoveTo(unit);
  for (int64_t panel = first_panel; panel < last_panel; ++panel) {
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
