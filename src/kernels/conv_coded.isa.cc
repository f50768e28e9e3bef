// A group of a convolution is packed in panels of kPanelColumns outputs, the last one as wide as the whole vectors that
// its outputs fill. The reduction of a panel is cut into segments whose weights share their parameters: the whole of
// it, or a block of channels of a tap. A segment lies in one piece, in the order in which it is read:
//
//   factors [width] float, shifts [width] float where there are any, zero points [width] bytes, codes
//
// A code is q + 2^(bits - 1), and so are the zero points. Byte j of row r of the codes holds, from its lowest bits on,
// the codes of column j and of the steps r * (8 / bits) and following of the segment's reduction: one load serves
// several steps, for vectors of any length.
#include "kernels/conv_coded.h"

#include <cstring>

#include "kernels/conv_rows.h"
#include "kernels/simd_widen.h"

namespace qlite::kernels::QLITE_ISA {
namespace product {
namespace {

constexpr int64_t kLanes = VecF32::kLanes;
constexpr int64_t kPanelColumns = kMaxPanelVectors * kLanes;
constexpr int64_t kFloatBytes = sizeof(float);

// Floats stay aligned.
int64_t Padded(int64_t bytes) { return CeilDiv(bytes, kFloatBytes) * kFloatBytes; }

struct SegmentLayout {
  SegmentLayout(const CodedForm& form, int64_t depth, int64_t width)
      : shifts(width * kFloatBytes),
        zeros(shifts + (form.shifted ? width * kFloatBytes : 0)),
        codes(zeros + Padded(width)),
        bytes(codes + Padded(CeilDiv(depth * form.bits, 8) * width)) {}
  // Where parts begin, in bytes from the factors on, and where the segment ends.
  int64_t shifts, zeros, codes, bytes;
};

// How the reduction of a group is cut into segments.
struct Segments {
  Segments(const ConvF32Geometry& g, const CodedForm& coded)
      : form(coded), k(ReductionLength(g)), channels(GroupChannels(g)), taps(g.kernel_h * g.kernel_w) {
    depth = form.block_size > 0 ? MinOf(form.block_size, MaxOf(channels, 1)) : k;
    run = form.block_size > 0 ? channels : k;
  }
  // A run of `run` steps (a tap, or the whole) is cut into segments of `depth`, the last one may be shorter.
  int64_t RunBytes(int64_t width) const {
    if (run == 0) return 0;
    const int64_t whole = run / depth, rest = run % depth;
    return whole * SegmentLayout(form, depth, width).bytes +
           (rest > 0 ? SegmentLayout(form, rest, width).bytes : int64_t{0});
  }
  int64_t runs() const { return form.block_size > 0 ? taps : 1; }
  int64_t PanelBytes(int64_t width) const { return AlignedBytes(runs() * RunBytes(width)); }

  CodedForm form;
  int64_t k, channels, taps;
  int64_t depth, run;
};

// The work on one group. Unit u is block u / panels of pixels, panel u % panels.
struct Grid {
  explicit Grid(const ConvF32Geometry& g) : n(GroupOutputs(g)), pixels(PixelCount(g)) {
    panels = CeilDiv(n, kPanelColumns);
    blocks = CeilDiv(pixels, kBlockRows);
    block_rows = CeilDiv(pixels, MaxOf(blocks, 1));
  }
  int64_t count() const { return blocks * panels; }
  int64_t Columns(int64_t panel) const { return MinOf(kPanelColumns, n - panel * kPanelColumns); }
  int64_t Width(int64_t panel) const { return CeilDiv(Columns(panel), kLanes) * kLanes; }
  int64_t GroupBytes(const Segments& segments) const {
    if (panels == 0) return 0;
    return (panels - 1) * segments.PanelBytes(kPanelColumns) + segments.PanelBytes(Width(panels - 1));
  }
  int64_t n, pixels, panels, blocks, block_rows;
};

int64_t PackedBytes(const ConvF32Geometry& g, const CodedForm& form) {
  return g.groups * Grid(g).GroupBytes(Segments(g, form));
}

// One column of a panel: an output of the convolution.
struct Column {
  Column(const Grid& grid, const Segments& segments, void* packed, int64_t output) {
    const int64_t panel = output % grid.n / kPanelColumns;
    width = grid.Width(panel);
    index = output % grid.n % kPanelColumns;
    bytes = static_cast<char*>(packed) + output / grid.n * grid.GroupBytes(segments) +
            panel * segments.PanelBytes(kPanelColumns);
  }
  char* bytes;  // of the panel
  int64_t width, index;
};

void PlaceParams(const ConvF32Geometry& g, const CodedForm& form, const CodedParams& params, void* packed) {
  const Grid grid(g);
  const Segments segments(g, form);
  const int offset = 1 << (form.bits - 1);
  for (int64_t output = params.first_output; output < params.end_output; ++output) {
    const Column column(grid, segments, packed, output);
    char* segment = column.bytes;
    if (column.index == 0) std::memset(segment, 0, static_cast<size_t>(segments.PanelBytes(column.width)));
    const int64_t first = (output - params.first_output) * params.out_stride;
    for (int64_t run = 0; run < segments.runs(); ++run) {
      for (int64_t begin = 0, block = 0; begin < segments.run; begin += segments.depth, ++block) {
        const SegmentLayout layout(form, MinOf(segments.depth, segments.run - begin), column.width);
        const int64_t i = first + block * params.block_stride + run * params.tap_stride;
        const float factor = params.ratios ? params.scales[i] * params.ratios[i] : params.scales[i];
        reinterpret_cast<float*>(segment)[column.index] = factor;
        if (form.shifted) reinterpret_cast<float*>(segment + layout.shifts)[column.index] = params.shifts[i];
        segment[layout.zeros + column.index] = static_cast<char>(params.zero_points[i] + offset);
        segment += layout.bytes;
      }
    }
  }
}

// Where the code of a step of the reduction stands in its column.
struct CodePlace {
  int64_t byte;  // from the begin of the panel on
  int shift;
};

class CodePlaces {
 public:
  CodePlaces(const Segments& segments, int64_t width)
      : segments_(segments),
        width_(width),
        run_bytes_(segments.RunBytes(width)),
        layout_(segments.form, segments.depth, width) {}

  CodePlace Find(int64_t tap, int64_t channel) const {
    const int bits = segments_.form.bits;
    const bool blocks = segments_.form.block_size > 0;
    const int64_t step = blocks ? channel : tap * segments_.channels + channel;
    const int64_t segment = blocks ? step / segments_.depth : 0, row = step - segment * segments_.depth;
    // The parameters of a shorter segment take as much room.
    const int64_t begin = (blocks ? tap * run_bytes_ : 0) + segment * layout_.bytes;
    return {.byte = begin + layout_.codes + row * bits / 8 * width_, .shift = static_cast<int>(row * bits % 8)};
  }

 private:
  const Segments& segments_;
  int64_t width_, run_bytes_;
  SegmentLayout layout_;
};

void PlaceWeights(const ConvF32Geometry& g, const CodedForm& form, const CodedWeights& weights, void* packed) {
  const Grid grid(g);
  const Segments segments(g, form);
  const int offset = 1 << (form.bits - 1);
  // Outputs of one panel together: their codes lie side by side.
  for (int64_t first = weights.first_output; first < weights.end_output;) {
    const Column column(grid, segments, packed, first);
    const int64_t in_panel =
        MinOf(kPanelColumns, grid.n - first % grid.n / kPanelColumns * kPanelColumns) - column.index;
    const int64_t count = MinOf(in_panel, weights.end_output - first);
    const CodePlaces places(segments, column.width);
    const int8_t* from = weights.data + (first - weights.first_output) * weights.out_stride;
    for (int64_t channel = weights.first_channel; channel < weights.end_channel; ++channel, from += weights.in_stride) {
      for (int64_t tap = 0; tap < segments.taps; ++tap) {
        const CodePlace place = places.Find(tap, channel);
        char* codes = column.bytes + place.byte + column.index;
        const int8_t* values = from + tap * weights.tap_stride;
        for (int64_t j = 0; j < count; ++j) {
          const int code = (values[j * weights.out_stride] + offset) << place.shift;
          codes[j] = static_cast<char>(codes[j] | code);
        }
      }
    }
    first += count;
  }
}

// One panel of one group.
struct Panel {
  const char* bytes;
  int64_t columns;
  int64_t width;
};

// The parameters of a segment's columns.
template <int kVectors>
struct SegmentParams {
  SegmentParams(const char* segment, const SegmentLayout& layout, bool shifted) {
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
      factor[v] = VecF32::Load(reinterpret_cast<const float*>(segment) + v * kLanes);
      zero[v] = ToFloat(WidenBytes(reinterpret_cast<const uint8_t*>(segment + layout.zeros) + v * kLanes));
      shift[v] =
          shifted ? VecF32::Load(reinterpret_cast<const float*>(segment + layout.shifts) + v * kLanes) : VecF32(0.0f);
    }
  }
  VecF32 factor[kVectors], zero[kVectors], shift[kVectors];
};

// The weights of step `kStep` of a row of codes.
template <int kBits, int kStep, bool kShifted, int kVectors>
[[gnu::always_inline]] inline void Decode(const VecI32 (&rows)[kVectors], const SegmentParams<kVectors>& params,
                                          VecF32 (&weights)[kVectors]) {
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
    VecI32 code = rows[v];
    if constexpr (kStep > 0) code = ShiftRight<kBits * kStep>(code);
    if constexpr (kBits * (kStep + 1) < 8) code = code & VecI32::Broadcast((1 << kBits) - 1);
    weights[v] = (ToFloat(code) - params.zero[v]) * params.factor[v];
    if constexpr (kShifted) weights[v] = weights[v] + params.shift[v];
  }
}

// Calls use(step, weights) for the steps [step, end) of a row of codes, at most 8 / kBits.
template <int kBits, bool kShifted, int kStep, int kVectors, class Use>
[[gnu::always_inline]] inline void DecodeSteps(const VecI32 (&rows)[kVectors], const SegmentParams<kVectors>& params,
                                               int64_t step, int64_t end, const Use& use) {
  if (step == end) return;
  VecF32 weights[kVectors];
  Decode<kBits, kStep, kShifted>(rows, params, weights);
  use(step, weights);
  if constexpr (kBits * (kStep + 1) < 8) DecodeSteps<kBits, kShifted, kStep + 1>(rows, params, step + 1, end, use);
}

// Calls use(step, weights) for the steps [first, first + depth) of a segment.
template <int kBits, bool kShifted, int kVectors, class Use>
[[gnu::always_inline]] inline void DecodeSegment(const char* segment, const SegmentLayout& layout, int64_t first,
                                                 int64_t depth, const Use& use) {
  constexpr int64_t kSteps = 8 / kBits;
  const SegmentParams<kVectors> params(segment, layout, kShifted);
  const auto* codes = reinterpret_cast<const uint8_t*>(segment + layout.codes);
  // Bytes of what is fetched ahead, across the end of segments and panels: they lie one behind the other.
  constexpr int64_t kAhead = 2048;
  VecI32 rows[kVectors];
  const int64_t end = first + depth;
  for (; end - first >= kSteps; first += kSteps, codes += kVectors * kLanes) {
    __builtin_prefetch(codes + kAhead);
    QLITE_UNROLL for (int v = 0; v < kVectors; ++v) rows[v] = WidenBytes(codes + v * kLanes);
    DecodeSteps<kBits, kShifted, 0>(rows, params, first, first + kSteps, use);
  }
  if (first == end) return;
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) rows[v] = WidenBytes(codes + v * kLanes);
  DecodeSteps<kBits, kShifted, 0>(rows, params, first, end, use);
}

// Calls use(step, weights) for every step of the reduction, in order.
template <int kBits, bool kShifted, int kVectors, class Use>
[[gnu::always_inline]] inline void DecodePanel(const Segments& segments, const char* panel, const Use& use) {
  const SegmentLayout layout(segments.form, segments.depth, kVectors * kLanes);
  int64_t step = 0;
  for (int64_t run = 0; run < segments.runs(); ++run) {
    for (int64_t left = segments.run; left > 0;) {
      const int64_t depth = MinOf(left, segments.depth);
      DecodeSegment<kBits, kShifted, kVectors>(panel, layout, step, depth, use);
      panel += depth == segments.depth ? layout.bytes : SegmentLayout(segments.form, depth, kVectors * kLanes).bytes;
      step += depth, left -= depth;
    }
  }
}

// [step][width]
template <int kBits, bool kShifted, int kVectors>
void DecodeWeights(const Segments& segments, const Panel& panel, float* weights) {
  DecodePanel<kBits, kShifted, kVectors>(
      segments, panel.bytes, [&](int64_t step, const VecF32(&w)[kVectors]) __attribute__((always_inline)) {
        float* row = weights + step * kVectors * kLanes;
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) { w[v].Store(row + v * kLanes); }
      });
}

// The outputs of one pixel, whose input is x[0..k).
template <int kBits, bool kShifted, int kVectors>
void ComputeRow(const Segments& segments, const Panel& panel, const float* x, const Epilogue& out) {
  const auto lanes = [&](int v) { return static_cast<int>(MinOf(kLanes, panel.columns - v * kLanes)); };
  VecF32 sum[kVectors];
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
    sum[v] = out.bias ? VecF32::LoadPartial(out.bias + v * kLanes, lanes(v)) : VecF32(0.0f);
  }
  DecodePanel<kBits, kShifted, kVectors>(
      segments, panel.bytes, [&](int64_t step, const VecF32(&w)[kVectors]) __attribute__((always_inline)) {
        const VecF32 input(x[step]);
        QLITE_UNROLL for (int v = 0; v < kVectors; ++v) sum[v] = MulAdd(input, w[v], sum[v]);
      });
  QLITE_UNROLL for (int v = 0; v < kVectors; ++v) {
    if (out.residual) sum[v] = sum[v] + VecF32::LoadPartial(out.residual + v * kLanes, lanes(v));
    if (out.clamps) sum[v] = Min(VecF32(out.act_max), Max(VecF32(out.act_min), sum[v]));
    sum[v].StorePartial(out.c + v * kLanes, lanes(v));
  }
}

struct PanelKernels {
  void (*decode)(const Segments&, const Panel&, float*);
  void (*row)(const Segments&, const Panel&, const float*, const Epilogue&);
};

// For panels of up to kVectors vectors.
template <int kBits, bool kShifted, int kVectors = kMaxPanelVectors>
PanelKernels KernelsOfWidth(int64_t vectors) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) return KernelsOfWidth<kBits, kShifted, kVectors - 1>(vectors);
  }
  return {DecodeWeights<kBits, kShifted, kVectors>, ComputeRow<kBits, kShifted, kVectors>};
}

template <int kBits>
PanelKernels KernelsOfShift(bool shifted, int64_t vectors) {
  return shifted ? KernelsOfWidth<kBits, true>(vectors) : KernelsOfWidth<kBits, false>(vectors);
}

PanelKernels KernelsFor(const CodedForm& form, int64_t width) {
  const int64_t vectors = width / kLanes;
  switch (form.bits) {
    case 2:
      return KernelsOfShift<2>(form.shifted, vectors);
    case 4:
      return KernelsOfShift<4>(form.shifted, vectors);
    default:
      return KernelsOfShift<8>(form.shifted, vectors);
  }
}

int64_t PointerBytes(const ConvF32Geometry& g) { return AlignedBytes(WorkspaceBytes(g)); }

// Behind the pointers: a panel in float32, or the input of the only pixel in one piece.
int64_t AllBytes(const ConvF32Geometry& g) {
  const int64_t rows = PixelCount(g) == 1 ? 1 : kPanelColumns;
  return PointerBytes(Flattened(g)) + ReductionLength(g) * rows * kFloatBytes;
}

int64_t Units(const ConvF32Geometry& g) { return g.groups * Grid(g).count(); }

// The input of a single pixel.
const float* InputRow(const Runs& runs, const Workspace& space, float* scratch) {
  if (runs.taps == 1) return space.rows[0];
  for (int64_t tap = 0; tap < runs.taps; ++tap) {
    std::memcpy(scratch + tap * runs.run, space.rows[tap * kBlockRows], static_cast<size_t>(runs.run) * sizeof(float));
  }
  return scratch;
}

void ComputePanel(const Segments& segments, const Runs& runs, const Workspace& space, const Panel& panel,
                  int64_t row_count, float* scratch, const Epilogue& out) {
  KernelsFor(segments.form, panel.width).decode(segments, panel, scratch);
  ComputeBlock({.rows = space.rows,
                .row_count = row_count,
                .taps = runs.taps,
                .run = runs.run,
                .packed_b = scratch,
                .n = panel.columns,
                .first_panel = 0,
                .end_panel = 1,
                .out = out});
}

// The panels [first, end) of a block of pixels of a group.
void RunBlock(const ConvCodedArgs& args, const Grid& grid, void* workspace, int64_t group, int64_t block, int64_t first,
              int64_t end) {
  const ConvF32Geometry& g = args.conv.geometry;
  const Segments segments(g, args.form);
  const Runs runs = FindRuns(g);
  const Workspace space = CutWorkspace(runs, workspace);
  auto* scratch = reinterpret_cast<float*>(static_cast<char*>(workspace) + PointerBytes(g));
  const int64_t row = block * grid.block_rows, rows = MinOf(grid.block_rows, grid.pixels - row);
  const Epilogue out = OutputOf(args.conv);
  PointAtBlock(g, runs, args.conv.input + group * GroupChannels(g), row, rows, space);
  const float* x = grid.pixels == 1 ? InputRow(runs, space, scratch) : nullptr;
  const char* packed = static_cast<const char*>(args.packed) + group * grid.GroupBytes(segments);
  for (int64_t p = first; p < end; ++p) {
    const Panel panel = {
        .bytes = packed + p * segments.PanelBytes(kPanelColumns), .columns = grid.Columns(p), .width = grid.Width(p)};
    const Epilogue at = At(out, row, group * grid.n + p * kPanelColumns);
    if (x != nullptr) {
      KernelsFor(args.form, panel.width).row(segments, panel, x, at);
    } else {
      ComputePanel(segments, runs, space, panel, rows, scratch, at);
    }
  }
}

void Run(const ConvCodedArgs& args, void* workspace, int64_t begin, int64_t end) {
  ConvCodedArgs flat = args;
  flat.conv.geometry = Flattened(args.conv.geometry);
  const Grid grid(flat.conv.geometry);
  ForEachPanelRange(grid.panels, begin, end, [&](int64_t block, int64_t first, int64_t stop) {
    RunBlock(flat, grid, workspace, block / grid.blocks, block % grid.blocks, first, stop);
  });
}

}  // namespace
}  // namespace product

extern const ConvCodedKernels kConvCodedKernels;
const ConvCodedKernels kConvCodedKernels = {.packed_bytes = product::PackedBytes,
                                            .place_params = product::PlaceParams,
                                            .place_weights = product::PlaceWeights,
                                            .workspace_bytes = product::AllBytes,
                                            .units = product::Units,
                                            .run = product::Run};

}  // namespace qlite::kernels::QLITE_ISA
