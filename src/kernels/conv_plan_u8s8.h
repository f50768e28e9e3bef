// How a convolution of bytes is divided: channels into blocks and panels, images into strips of rows, and all of it
// into units of work. Included by *.isa.cc alone, like kernels/simd_u8.h.
#ifndef QLITE_KERNELS_CONV_PLAN_U8S8_H_
#define QLITE_KERNELS_CONV_PLAN_U8S8_H_

#include <cstdint>

#include "kernels/amx_u8s8.h"
#include "kernels/conv_regions_u8s8.h"
#include "kernels/conv_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

// Bytes of padded input rows that are kept at a time, part of a second-level cache.
inline constexpr int64_t kStripBytes = 128 * 1024;
// Weights beyond this size are better passed over once for a whole image than once for every few rows.
inline constexpr int64_t kLargeWeightsBytes = 1024 * 1024;
// Units that a convolution has at least, size permitting.
inline constexpr int64_t kWantedUnits = 8;

// Output pixels of a strip at least, size permitting: of register tiles, and of a matrix unit, which needs more of them
// for the weights it loads and leaves the rest of the units to the panels.
inline constexpr int64_t kLeastPixels = kMaxTileRows;
inline constexpr int64_t kLeastMatrixPixels = 6 * MatrixUnit::kBlockRows;

// What finishing a vector of sums costs, in steps.
inline constexpr int64_t kStoreSteps = 8;

// Channels from which on weights are summed up for each tap, which that needs: with fewer, the sums take as much memory
// as the weights.
inline constexpr int64_t kLeastSummedChannels = 16;

// Bytes of gathered taps, which share the first-level cache with what they are gathered from, weights and output.
inline constexpr int64_t kGatheredBytes = 16 * 1024;
// Elements of a kernel row that are gathered at most.
inline constexpr int64_t kMaxGatheredRun = 64;

// The taps of a kernel row and their channels form one run if they are neighbours in memory.
inline bool MergesTaps(int64_t dilation_w) { return dilation_w == 1; }

// Of few channels, padding the taps of every kernel row to whole steps takes longer than to gather those of all rows
// into one run, for a few output pixels at a time. (Steps of two elements have little padding. Taps whose
// weights are summed up, which may be left out, are not gathered.)
inline bool GathersTaps(int64_t in_c, int64_t kernel_h, int64_t kernel_w) {
  const int64_t run = kernel_w * in_c;
  if (kDotDepth < 4 || run > kMaxGatheredRun || in_c >= kLeastSummedChannels) return false;
  return Reduction{1, kernel_h * run}.Steps() < Reduction{kernel_h, run}.Steps();
}

inline Reduction MakeReduction(int64_t in_c, int64_t kernel_h, int64_t kernel_w, bool merged, int folds = 0) {
  if (merged && GathersTaps(in_c, kernel_h, kernel_w)) return {1, kernel_h * kernel_w * in_c, folds};
  if (merged) return {kernel_h, kernel_w * in_c, folds};
  return {kernel_h * kernel_w, in_c, folds};
}

// The folds of a convolution, or 0 where it is not one of kernels/folded_u8s8.h. The geometry may be a ConvU8S8Weights
// too.
template <class Geometry>
int FoldsOf(const Geometry& g) {
  const int64_t width = g.in_c / g.groups;
  return g.in_c == g.out_c && g.groups > 1 ? FoldsOfGroups(width) : 0;
}

// Groups of few channels fill neither the vectors of a panel nor the steps of a run. As many as cost no more together
// are made one convolution, a block, whose weights from one group to another are zero. (Sums are exact, whatever is
// added to them.) The last block may have fewer groups: the input behind them is read, as far as slack allows, and has
// no weights.
template <class Geometry>
int64_t GroupsOfBlock(const Geometry& g) {
  if (g.in_c == 0 || g.out_c == 0) return 1;
  const int64_t in_c = g.in_c / g.groups;
  if (FoldsOf(g) > 0) return kFoldedStep / in_c;
  const int64_t out_c = g.out_c / g.groups;
  const auto cost = [&](int64_t groups) {
    const Reduction reduction = MakeReduction(in_c * groups, g.kernel_h, g.kernel_w, MergesTaps(g.dilation_w));
    return DivideUp(g.groups, groups) * (reduction.Steps() + kStoreSteps) * DivideUp(out_c * groups, kLanes);
  };
  int64_t best = 1;
  for (int64_t groups = 2; groups <= g.groups && out_c * groups <= kPanelColumns; ++groups) {
    const int64_t missing = RoundUp(g.groups, groups) - g.groups;
    if (missing * in_c <= static_cast<int64_t>(kReadSlackBytes) / 2 && cost(groups) <= cost(best)) best = groups;
  }
  return best;
}

// The packed weights of a block of `channels` input channels and `columns` output channels.
template <class Geometry>
PackedMatrix MatrixOfBlock(const Geometry& g, int64_t channels, int64_t columns) {
  const int64_t taps = g.kernel_h * g.kernel_w;
  const int folds = FoldsOf(g);
  const Reduction reduction = MakeReduction(channels, g.kernel_h, g.kernel_w, MergesTaps(g.dilation_w), folds);
  return {columns, reduction.Steps(), channels >= kLeastSummedChannels && folds == 0 ? taps : 0};
}

// Runs without padding make the packed weights of merged and separate taps the same.
inline bool PacksAlike(const ConvGeometry& g, int64_t in_c) {
  const auto is_unpadded = [&](bool merged) {
    const Reduction reduction = MakeReduction(in_c, g.kernel_h, g.kernel_w, merged);
    return reduction.RunSteps() * kDotDepth == reduction.run_length;
  };
  return is_unpadded(true) && is_unpadded(false);
}

// How a convolution is carried out. The image is cut into strips of output rows. The input rows of a strip are read in
// place where no tap leaves the image and the input elements are those of the dot product; otherwise they are copied
// to the workspace, padded, widened and without gaps between the pixels, the channels of one block at a time. Taps that
// are gathered come from either.
struct ConvPlan {
  explicit ConvPlan(const ConvU8S8Args& args) {
    const ConvGeometry& g = args.geometry;
    const int64_t span_h = (g.out_h - 1) * g.stride_h + (g.kernel_h - 1) * g.dilation_h + 1;
    strip_w = (g.out_w - 1) * g.stride_w + (g.kernel_w - 1) * g.dilation_w + 1;
    const bool inside = g.pad_top == 0 && g.pad_left == 0 && span_h <= g.in_h && strip_w <= g.in_w;
    const int64_t block_groups = GroupsOfBlock(g);
    blocks = DivideUp(g.groups, block_groups);
    block_channels = g.in_c / g.groups * block_groups;
    block_columns = g.out_c / g.groups * block_groups;
    const bool dense = g.in_pixel_stride == block_channels;
    const bool packed_merged = MergesTaps(g.dilation_w);
    direct = sizeof(DotInput) == 1 && inside && (dense || !packed_merged || PacksAlike(g, block_channels));
    merged = packed_merged && (!direct || dense);
    gathers = merged && GathersTaps(block_channels, g.kernel_h, g.kernel_w);
    reduction = MakeReduction(block_channels, g.kernel_h, g.kernel_w, merged, FoldsOf(g));
    on_matrix_unit = MatrixUnit::Pays(g.out_w, reduction);
    matrix = MatrixOfBlock(g, block_channels, block_columns);
    omits_rows = matrix.taps > 0;
    // The taps of a merged run are told apart by their steps.
    omits_columns = omits_rows && (!merged || block_channels % kDotDepth == 0);
    pixel_pitch = direct ? g.in_pixel_stride : block_channels;
    row_pitch = direct ? g.in_w * g.in_pixel_stride : strip_w * block_channels;
    panels = DivideUp(block_columns, kPanelColumns);
    if (g.batch == 0 || g.out_h == 0 || g.out_w == 0 || panels == 0) return;
    ChooseStrips(g);
  }

  void ChooseStrips(const ConvGeometry& g) {
    const int64_t row_bytes = row_pitch * static_cast<int64_t>(sizeof(DotInput));
    const int64_t first_rows = (g.kernel_h - 1) * g.dilation_h + 1;
    const int64_t fitting = (kStripBytes / Larger(row_bytes, 1) - first_rows) / g.stride_h + 1;
    const bool large = matrix.Bytes() > kLargeWeightsBytes;
    const int64_t least_rows = DivideUp(on_matrix_unit ? kLeastMatrixPixels : kLeastPixels, g.out_w);
    // Columns of taps are left out for tall columns of pixels alone; otherwise shorter strips stay nearer.
    const int64_t parts = omits_columns && !on_matrix_unit ? blocks * panels : blocks;
    const int64_t wanted = large ? g.out_h : Larger(DivideUp(g.batch * g.out_h * parts, kWantedUnits), least_rows);
    const int64_t rows = Smaller(g.out_h, Larger(1, Smaller(fitting, wanted)));
    strips = DivideUp(g.out_h, rows);
    strip_rows = DivideUp(g.out_h, strips);
    strip_in_rows = (strip_rows - 1) * g.stride_h + first_rows;
    panel_groups = Smaller(panels, DivideUp(kWantedUnits, g.batch * strips * blocks));
    units = g.batch * strips * blocks * panel_groups;
    pixels = strip_rows * g.out_w;
    if (gathers) ChooseGathered();
    // The taps of a side that a pixel uses change at most twice as often as there are taps.
    regions = Smaller(strip_rows, 2 * g.kernel_h + 1) * Smaller(g.out_w, 2 * g.kernel_w + 1);
  }

  // Whole tiles, or what a matrix unit wants.
  void ChooseGathered() {
    gathered_pitch = RoundUp(reduction.run_length, kDotDepth);
    const int64_t fitting = kGatheredBytes / gathered_pitch;
    gathered_pixels = on_matrix_unit ? kLeastMatrixPixels : Larger(1, fitting / kMaxTileRows) * kMaxTileRows;
    gathered_pixels = Smaller(pixels, gathered_pixels);
  }

  // The workspace holds the regions of a strip, the runs of one, the offsets of the pixels, the strip, then gathered
  // taps.
  int64_t RunsOffset() const { return regions * static_cast<int64_t>(sizeof(Region)); }
  int64_t PixelsOffset() const { return RunsOffset() + reduction.runs * static_cast<int64_t>(sizeof(TileRun)); }
  int64_t StripOffset() const { return RoundUp(PixelsOffset() + 2 * pixels * 8, kPackedAlignment); }
  int64_t GatheredOffset() const {
    const int64_t elements = direct ? 0 : strip_in_rows * row_pitch;
    return RoundUp(StripOffset() + elements * static_cast<int64_t>(sizeof(DotInput)), kPackedAlignment);
  }
  int64_t WorkspaceBytes() const {
    const int64_t elements = gathered_pixels * gathered_pitch;
    return GatheredOffset() + elements * static_cast<int64_t>(sizeof(DotInput)) + static_cast<int64_t>(kReadSlackBytes);
  }

  bool direct;
  bool merged;
  bool gathers;
  bool on_matrix_unit;
  bool omits_rows;  // of taps outside the image
  bool omits_columns;
  Reduction reduction;
  PackedMatrix matrix;  // the weights of a block
  int64_t pixel_pitch;  // elements
  int64_t row_pitch;
  int64_t blocks;
  int64_t block_channels;  // input channels of a block
  int64_t block_columns;   // output channels of a block
  int64_t panels;          // of a block
  int64_t panel_groups = 0;
  int64_t strips = 0;      // of an image
  int64_t strip_rows = 0;  // output rows
  int64_t strip_in_rows = 0;
  int64_t strip_w;      // input pixels of a strip row that taps reach
  int64_t pixels = 0;   // output pixels of a strip
  int64_t regions = 0;  // of a strip at most
  int64_t units = 0;
  int64_t gathered_pixels = 0;  // at a time
  int64_t gathered_pitch = 0;   // elements
};

// Output rows [row, row + rows) of an image; in units order, one group of panels of one block of channels of them.
struct ConvUnit {
  ConvUnit(const ConvPlan& plan, int64_t out_h, int64_t index) {
    panel_group = index % plan.panel_groups;
    index /= plan.panel_groups;
    block = index % plan.blocks;
    index /= plan.blocks;
    image = index / plan.strips;
    const int64_t strip = index % plan.strips;
    const Partition strip_rows(out_h, plan.strips);
    row = strip_rows.Begin(strip);
    rows = strip_rows.Begin(strip + 1) - row;
  }
  int64_t image, row, rows, block, panel_group;
};

inline int64_t InputRows(const ConvGeometry& g, int64_t rows) {
  return (rows - 1) * g.stride_h + (g.kernel_h - 1) * g.dilation_h + 1;
}

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_CONV_PLAN_U8S8_H_
