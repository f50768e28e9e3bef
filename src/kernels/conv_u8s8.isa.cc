#include "kernels/conv_u8s8.h"

#include "kernels/amx_u8s8.h"
#include "kernels/gemm_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA {

extern const GemmU8S8Kernels kGemmU8S8Kernels;

namespace u8 {
namespace {

// Bytes of padded input rows that are kept at a time, part of a second-level cache.
constexpr int64_t kStripBytes = 128 * 1024;
// Weights beyond this size are better passed over once for a whole image than once for every few rows.
constexpr int64_t kLargeWeightsBytes = 1024 * 1024;
// Units that a convolution has at least, size permitting.
constexpr int64_t kWantedUnits = 8;

// Output pixels of a strip at least, size permitting: of register tiles, and of a matrix unit, which needs more of them
// for the weights it loads and leaves the rest of the units to the panels.
constexpr int64_t kLeastPixels = kMaxTileRows;
constexpr int64_t kLeastMatrixPixels = 6 * MatrixUnit::kBlockRows;

// What finishing a vector of sums costs, in steps.
constexpr int64_t kStoreSteps = 8;

// Rows of taps that lie outside the image are left out from so many steps on: there are more and shorter tiles then,
// and what the padding would have added is added to the bias. Large weights come from afar for each tile: not for them.
constexpr int64_t kLeastOmittedSteps = 32;

// The taps of a kernel row and their channels form one run if they are neighbours in memory.
bool MergesTaps(int64_t dilation_w) { return dilation_w == 1; }

Reduction MakeReduction(int64_t in_c, int64_t kernel_h, int64_t kernel_w, bool merged) {
  if (merged) return {kernel_h, kernel_w * in_c};
  return {kernel_h * kernel_w, in_c};
}

// Groups of few channels fill neither the vectors of a panel nor the steps of a run. As many as cost no more together
// are made one convolution, a block, whose weights from one group to another are zero. (Sums are exact, whatever is
// added to them.) The last block may have fewer groups: the input behind them is read, as far as slack allows, and has
// no weights. The geometry may be a ConvU8S8Weights too.
template <class Geometry>
int64_t GroupsOfBlock(const Geometry& g) {
  if (g.in_c == 0 || g.out_c == 0) return 1;
  const int64_t in_c = g.in_c / g.groups;
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

// Runs without padding make the packed weights of merged and separate taps the same.
bool PacksAlike(const ConvGeometry& g, int64_t in_c) {
  const auto is_unpadded = [&](bool merged) {
    const Reduction reduction = MakeReduction(in_c, g.kernel_h, g.kernel_w, merged);
    return reduction.RunSteps() * kDotDepth == reduction.run_length;
  };
  return is_unpadded(true) && is_unpadded(false);
}

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
  return product;
}

// How a convolution is carried out. The image is cut into strips of output rows. The input rows of a strip are read in
// place where no tap leaves the image and the input elements are those of the dot product; otherwise they are copied
// to the workspace, padded, widened and without gaps between the pixels, the channels of one block at a time.
struct Plan {
  explicit Plan(const ConvU8S8Args& args) {
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
    reduction = MakeReduction(block_channels, g.kernel_h, g.kernel_w, merged);
    on_matrix_unit = MatrixUnit::Pays(g.out_w, reduction);
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
    large = PackedMatrix{block_columns, reduction.Steps()}.Bytes() > kLargeWeightsBytes;
    const int64_t least_rows = DivideUp(on_matrix_unit ? kLeastMatrixPixels : kLeastPixels, g.out_w);
    const int64_t wanted = large ? g.out_h : Larger(DivideUp(g.batch * g.out_h * blocks, kWantedUnits), least_rows);
    const int64_t rows = Smaller(g.out_h, Larger(1, Smaller(fitting, wanted)));
    strips = DivideUp(g.out_h, rows);
    strip_rows = DivideUp(g.out_h, strips);
    strip_in_rows = (strip_rows - 1) * g.stride_h + first_rows;
    panel_groups = Smaller(panels, DivideUp(kWantedUnits, g.batch * strips * blocks));
    units = g.batch * strips * blocks * panel_groups;
    pixels = strip_rows * g.out_w;
  }

  // The workspace holds the offsets of the runs and of the pixels of a strip, then the strip.
  int64_t StripOffset() const { return RoundUp((reduction.runs + pixels) * 8, kPackedAlignment); }
  int64_t WorkspaceBytes() const {
    const int64_t elements = direct ? 0 : strip_in_rows * row_pitch;
    return StripOffset() + elements * static_cast<int64_t>(sizeof(DotInput)) + static_cast<int64_t>(kReadSlackBytes);
  }

  bool direct;
  bool large = false;  // the weights of a block
  bool merged;
  bool on_matrix_unit;
  Reduction reduction;
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
  int64_t strip_w;     // input pixels of a strip row that taps reach
  int64_t pixels = 0;  // output pixels of a strip
  int64_t units = 0;
};

// Output rows [row, row + rows) of an image; in units order, one group of panels of one block of channels of them.
struct Unit {
  Unit(const Plan& plan, int64_t out_h, int64_t index) {
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

int64_t InputRows(const ConvGeometry& g, int64_t rows) {
  return (rows - 1) * g.stride_h + (g.kernel_h - 1) * g.dilation_h + 1;
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
void CopyStrip(const ConvU8S8Args& args, const Plan& plan, const Unit& unit, int64_t kept, DotInput* strip) {
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
  StripCopies(const ConvU8S8Args& args, const Plan& plan, DotInput* strip) : args_(args), plan_(plan), strip_(strip) {}

  // Most follow on the one before, with some input rows in common.
  const DotInput* Strip(const Unit& unit) {
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
  const Plan& plan_;
  DotInput* strip_;
  int64_t image_ = -1;
  int64_t block_ = -1;
  int64_t row_ = -1;
  int64_t in_rows_ = 0;
};

// The offsets of the runs from a pixel, then those of the pixels of a strip from its first.
void MakeOffsets(const ConvGeometry& g, const Plan& plan, int64_t* runs, int64_t* pixels) {
  const int64_t taps = plan.merged ? 1 : g.kernel_w;
  for (int64_t ky = 0; ky < g.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < taps; ++kx) {
      *runs++ = ky * g.dilation_h * plan.row_pitch + kx * g.dilation_w * plan.pixel_pitch;
    }
  }
  for (int64_t y = 0; y < plan.strip_rows; ++y) {
    for (int64_t x = 0; x < g.out_w; ++x) {
      *pixels++ = y * g.stride_h * plan.row_pitch + x * g.stride_w * plan.pixel_pitch;
    }
  }
}

// Output rows [begin, end) of a unit and the runs that they need: the others lie above or below the image for all.
struct RowSpan {
  int64_t begin, end;
  int64_t first_run, last_run;
  bool NeedsSame(const RowSpan& other) const { return first_run == other.first_run && last_run == other.last_run; }
};

RowSpan RowOf(const ConvGeometry& g, const Plan& plan, const Unit& unit, int64_t row) {
  const RowSpan all = {row, row + 1, 0, plan.reduction.runs};
  const int64_t top = (unit.row + row) * g.stride_h - g.pad_top;
  if (plan.large || (top >= 0 && top + (g.kernel_h - 1) * g.dilation_h < g.in_h)) return all;
  const int64_t runs = plan.reduction.runs / g.kernel_h;  // of a row of taps
  const int64_t first = top < 0 ? DivideUp(-top, g.dilation_h) : 0;
  const int64_t last = Smaller(g.kernel_h, top < g.in_h ? DivideUp(g.in_h - top, g.dilation_h) : 0);
  const int64_t omitted = (g.kernel_h - (last - first)) * runs * plan.reduction.RunSteps();
  return first >= last || omitted < kLeastOmittedSteps ? all : RowSpan{row, row + 1, first * runs, last * runs};
}

RowSpan NextSpan(const ConvGeometry& g, const Plan& plan, const Unit& unit, int64_t begin) {
  RowSpan span = RowOf(g, plan, unit, begin);
  while (span.end < unit.rows && span.NeedsSame(RowOf(g, plan, unit, span.end))) ++span.end;
  return span;
}

// Adds to the sums of a panel what runs of nothing but padding would.
void AddPadding(const PanelTiles& tiles, int64_t first_run, int64_t last_run, int32_t zero_point, int32_t* sums) {
  DotInput padding[kDotDepth];
  Fill(padding, kDotDepth, zero_point);
  const VecWide::I32 x = VecWide::BroadcastInput(padding);
  const int64_t step_weights = tiles.vectors * kLanes * kDotDepth;
  const DotWeight* const begin = tiles.job.weights + first_run * tiles.job.run_steps * step_weights;
  const DotWeight* const end = tiles.job.weights + last_run * tiles.job.run_steps * step_weights;
  for (int v = 0; v < tiles.vectors; ++v) {
    VecWide::I32 acc = VecWide::LoadI32(sums + v * kLanes);
    for (const DotWeight* w = begin; w != end; w += step_weights) {
      acc = VecWide::Dot(acc, x, VecWide::LoadI32(w + v * kLanes * kDotDepth));
    }
    VecWide::StoreI32(sums + v * kLanes, acc);
  }
}

// Narrows the job of a panel to some of its runs. The bias goes to `sums`.
void OmitRuns(const RowSpan& span, int32_t zero_point, PanelTiles* tiles, int32_t* sums) {
  TileJob& job = tiles->job;
  if (span.first_run == 0 && span.last_run == job.runs) return;
  std::memcpy(sums, job.bias, kPanelColumns * sizeof(int32_t));
  AddPadding(*tiles, 0, span.first_run, zero_point, sums);
  AddPadding(*tiles, span.last_run, job.runs, zero_point, sums);
  job.bias = sums;
  job.weights += span.first_run * job.run_steps * tiles->vectors * kLanes * kDotDepth;
  job.run_offsets += span.first_run;
  job.runs = span.last_run - span.first_run;
}

void RunUnit(const ConvU8S8Args& args, const Plan& plan, const Unit& unit, const DotInput* strip, const int64_t* runs,
             const int64_t* pixel_offsets, const OutputMap& map, MatrixUnit* matrix_unit) {
  const ConvGeometry& g = args.geometry;
  const Partition group_panels(plan.panels, plan.panel_groups);
  const int64_t output =
      (unit.image * g.out_h + unit.row) * g.out_w * g.out_pixel_stride + unit.block * plan.block_columns;
  const int64_t first_column = unit.block * plan.block_columns;
  const int64_t steps = plan.reduction.Steps();
  const PackedMatrix matrix = {Smaller(plan.block_columns, g.out_c - first_column), steps};
  const auto* packed =
      static_cast<const uint8_t*>(args.packed) + unit.block * PackedMatrix{plan.block_columns, steps}.Bytes();
  const Epilogue epilogue = ChooseEpilogue(args.output == nullptr, args.quantization, HasSmallMultipliers(packed));
  const DotInput* input = strip + (plan.direct ? unit.block * plan.block_channels : 0);
  const int64_t first_panel = group_panels.Begin(unit.panel_group);
  const int64_t last_panel = group_panels.Begin(unit.panel_group + 1);
  if constexpr (kHasMatrixUnit) {
    if (plan.on_matrix_unit) {
      const RowGrid rows = {unit.rows, g.out_w, g.stride_h * plan.row_pitch, g.stride_w * plan.pixel_pitch};
      return matrix_unit->Run({packed, matrix, plan.reduction, epilogue, &map, rows, input, runs, first_panel,
                               last_panel, args.output, args.output_float, output, g.out_pixel_stride});
    }
  }
  for (int64_t panel = first_panel; panel < last_panel; ++panel) {
    PanelTiles panel_tiles(packed, matrix, plan.reduction, panel, epilogue, map);
    panel_tiles.job.input = input;
    panel_tiles.job.run_offsets = runs;
    panel_tiles.job.output_stride = g.out_pixel_stride;
    int64_t tile_of_panel = 0;
    for (int64_t row = 0; row < unit.rows;) {
      const RowSpan span = NextSpan(g, plan, unit, row);
      row = span.end;
      PanelTiles tiles = panel_tiles;
      int32_t sums[kPanelColumns];
      OmitRuns(span, args.input_zero_point, &tiles, sums);
      const int64_t pixels = (span.end - span.begin) * g.out_w;
      const int64_t tile_count = DivideUp(pixels, kMaxTileRows);
      const Partition tile_pixels(pixels, tile_count);
      for (int64_t tile = 0; tile < tile_count; ++tile) {
        const int64_t first = span.begin * g.out_w + tile_pixels.Begin(tile);
        tiles.job.row_offsets = pixel_offsets + first;
        tiles.job.first_tile = tile_of_panel++;
        tiles.job.last_tile = tile_of_panel;
        tiles.SetOutput(args.output, args.output_float, output + first * g.out_pixel_stride);
        tiles.Run(tile_pixels.Begin(tile + 1) - tile_pixels.Begin(tile));
      }
    }
  }
}

size_t PackedBytes(const ConvU8S8Weights& w) {
  const int64_t block_groups = GroupsOfBlock(w);
  const Reduction reduction =
      MakeReduction(w.in_c / w.groups * block_groups, w.kernel_h, w.kernel_w, MergesTaps(w.dilation_w));
  const PackedMatrix matrix = {w.out_c / w.groups * block_groups, reduction.Steps()};
  return static_cast<size_t>(DivideUp(w.groups, block_groups) * matrix.Bytes());
}

void Pack(const ConvU8S8Weights& w, void* packed) {
  const bool merged = MergesTaps(w.dilation_w);
  const int64_t block_groups = GroupsOfBlock(w);
  const int64_t group_channels = w.in_c / w.groups;
  const int64_t group_columns = w.out_c / w.groups;
  const int64_t block_channels = group_channels * block_groups;
  const int64_t block_columns = group_columns * block_groups;
  const Reduction reduction = MakeReduction(block_channels, w.kernel_h, w.kernel_w, merged);
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
    PackMatrix(reduction, Smaller(block_columns, w.out_c - first), w.bias == nullptr ? nullptr : w.bias + first,
               w.multipliers + first, w.input_zero_point, weights, to);
    to += PackedMatrix{block_columns, reduction.Steps()}.Bytes();
  }
}

size_t WorkspaceBytes(const ConvU8S8Args& args) {
  if (IsMatrixProduct(args.geometry)) return kGemmU8S8Kernels.workspace_bytes(MatrixProduct(args));
  return static_cast<size_t>(Plan(args).WorkspaceBytes());
}

int64_t Units(const ConvU8S8Args& args) {
  if (IsMatrixProduct(args.geometry)) return kGemmU8S8Kernels.units(MatrixProduct(args));
  return Plan(args).units;
}

void Run(const ConvU8S8Args& args, int64_t begin, int64_t end, void* workspace) {
  const ConvGeometry& g = args.geometry;
  if (IsMatrixProduct(g)) return kGemmU8S8Kernels.run(MatrixProduct(args), begin, end, workspace);
  const Plan plan(args);
  auto* runs = static_cast<int64_t*>(workspace);
  int64_t* pixels = runs + plan.reduction.runs;
  auto* copy = reinterpret_cast<DotInput*>(static_cast<uint8_t*>(workspace) + plan.StripOffset());
  MakeOffsets(g, plan, runs, pixels);
  const OutputMap map = MakeOutputMap(args.quantization);
  MatrixUnit matrix_unit;
  StripCopies copies(args, plan, copy);
  for (int64_t index = begin; index < end; ++index) {
    const Unit unit(plan, g.out_h, index);
    const DotInput* strip;
    if (plan.direct) {
      strip = reinterpret_cast<const DotInput*>(args.input) + unit.image * g.in_h * plan.row_pitch +
              unit.row * g.stride_h * plan.row_pitch;
    } else {
      strip = copies.Strip(unit);
    }
    RunUnit(args, plan, unit, strip, runs, pixels, map, &matrix_unit);
  }
}

constexpr ConvU8S8Kernels kKernels = {&PackedBytes, &Pack, &WorkspaceBytes, &Units, &Run};

}  // namespace
}  // namespace u8

extern const ConvU8S8Kernels kConvU8S8Kernels;
const ConvU8S8Kernels kConvU8S8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
