// 3x3 kernels stream where four taps make a dot product: kernels/depthwise_stream_u8s8.h. For the others, output rows
// are made in two steps, block of channels by block. First the input columns that they need are gathered: for every
// column, the rows under the kernel in groups of kDotDepth, their bytes interleaved, so that one int32 lane holds the
// taps of one channel one above the other. Then every output is the sum of the dot products of kernel_w columns.
// Neighbouring outputs share their columns, and so do output rows above each other as far as the last group has rows to
// spare: there are packed weights for every shift of the kernel within its groups. Vectors stay in unpacked order
// (kernels/simd_u8.h) until they are stored.
#include "kernels/depthwise_u8s8.h"

#include "kernels/depthwise_stream_u8s8.h"
#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA {
namespace u8 {
namespace {

// Bytes of gathered columns, half of a first-level cache.
constexpr int64_t kColumnBytes = 24 * 1024;

// Neighbouring outputs that are computed together: four vectors each wait to be narrowed.
#if QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
constexpr int kPixels = 4;
#else
constexpr int kPixels = 2;
#endif

int64_t RowGroups(int64_t kernel_h) { return DivideUp(kernel_h, kDotDepth); }

// Rows by which a kernel can be shifted down within its row groups.
int64_t Shifts(int64_t kernel_h) { return RowGroups(kernel_h) * kDotDepth - kernel_h + 1; }

// Vectors of taps for each shift of a kernel.
int64_t ShiftVectors(int64_t kernel_h, int64_t kernel_w) { return RowGroups(kernel_h) * kernel_w; }

bool HasStreams(int64_t kernel_h, int64_t kernel_w) { return kCanStream && kernel_h == 3 && kernel_w == 3; }

// Packed weights: a header, then for every block of channels its bias, its multipliers,
// [shift][row group][kernel column][channel][tap], and the taps of streams of stride 2, all in unpacked order. A
// channel takes four bytes in each of these vectors, whichever the block.
int64_t PackedChannelBytes(int64_t kernel_h, int64_t kernel_w) {
  const int64_t streamed = HasStreams(kernel_h, kernel_w) ? kStride2Vectors : 0;
  return 4 * (2 + Shifts(kernel_h) * ShiftVectors(kernel_h, kernel_w) + streamed);
}

// Channels of the block that begins where `remaining` are left: one of the register widths, in bytes.
int BlockChannels(int64_t remaining) {
  int channels = VecWide::kBytes;
  while (channels > 16 && remaining <= channels / 2) channels /= 2;
  return channels;
}

// The channel of a block that a lane of one of the four vectors of a block holds.
int UnpackedChannel(int vector, int lane) { return 16 * (lane / 4) + 4 * vector + lane % 4; }

size_t PackedBytes(const DepthwiseU8S8Weights& w) {
  const int64_t channels = RoundUp(w.channels, VecWide::kBytes);
  return kPackedAlignment + static_cast<size_t>(channels * PackedChannelBytes(w.kernel_h, w.kernel_w));
}

void PackChannel(const DepthwiseU8S8Weights& w, int64_t channel, int block_channels, int slot, uint8_t* block) {
  const int64_t taps = w.kernel_h * w.kernel_w;
  uint32_t sum = 0;
  auto* weights = reinterpret_cast<DotWeight*>(block + 8 * block_channels);
  const auto put = [&](int64_t position, int64_t element, int8_t value) {
    const int lane = slot % (block_channels / 4);
    weights[(position * block_channels + slot - lane) * kDotDepth + StepElement(lane, static_cast<int>(element))] =
        value;
  };
  const int64_t shift_vectors = ShiftVectors(w.kernel_h, w.kernel_w);
  for (int64_t tap = 0; tap < taps; ++tap) {
    const int8_t value = w.data[channel * taps + tap];
    const int64_t ky = tap / w.kernel_w;
    const int64_t kx = tap % w.kernel_w;
    sum += static_cast<uint32_t>(value);
    for (int64_t shift = 0; shift < Shifts(w.kernel_h); ++shift) {
      const int64_t row = ky + shift;
      put(shift * shift_vectors + row / kDotDepth * w.kernel_w + kx, row % kDotDepth, value);
    }
    if (!HasStreams(w.kernel_h, w.kernel_w)) continue;
    for (int row = 0; row < 2; ++row) {
      const Stride2Tap at = FindStride2Tap(row, static_cast<int>(ky), static_cast<int>(kx));
      put(Shifts(w.kernel_h) * shift_vectors + at.vector, at.element, value);
    }
  }
  const uint32_t own = w.bias == nullptr ? 0u : static_cast<uint32_t>(w.bias[channel]);
  const uint32_t bias = own - static_cast<uint32_t>(w.input_zero_point - kInputOffset) * sum;
  std::memcpy(block + 4 * slot, &bias, 4);
  std::memcpy(block + 4 * (block_channels + slot), &w.multipliers[channel], 4);
}

void Pack(const DepthwiseU8S8Weights& w, void* packed) {
  std::memset(packed, 0, PackedBytes(w));
  WriteHeader(w.multipliers, w.channels, packed);
  const int64_t channel_bytes = PackedChannelBytes(w.kernel_h, w.kernel_w);
  for (int64_t first = 0; first < w.channels;) {
    const int channels = BlockChannels(w.channels - first);
    uint8_t* block = static_cast<uint8_t*>(packed) + kPackedAlignment + first * channel_bytes;
    for (int slot = 0; slot < channels; ++slot) {
      const int64_t channel = first + UnpackedChannel(slot / (channels / 4), slot % (channels / 4));
      if (channel < w.channels) PackChannel(w, channel, channels, slot, block);
    }
    first += channels;
  }
}

// How many output rows, and outputs of each, are made at a time, and where things are in the workspace: the rows of a
// kernel, a row of zero points (a vector of them where columns are gathered), the gathered columns.
struct Plan {
  explicit Plan(const DepthwiseU8S8Args& args) : groups(RowGroups(args.geometry.kernel_h)) {
    const ConvGeometry& g = args.geometry;
    streams = args.output != nullptr && HasStreams(g.kernel_h, g.kernel_w) && g.dilation_h == 1 && g.dilation_w == 1 &&
              g.stride_h == g.stride_w && g.stride_w <= 2;
    rows = g.dilation_h == 1 ? (Shifts(g.kernel_h) - 1) / g.stride_h + 1 : 1;
    if (streams) rows = 2;
    row_units = DivideUp(g.out_h, rows);
    span = (g.kernel_w - 1) * g.dilation_w + 1;
    const int64_t column_bytes = groups * 4 * VecWide::kBytes;
    const int64_t fitting = (kColumnBytes / column_bytes - span) / g.stride_w + 1;
    outputs = Smaller(Larger(fitting, kPixels), Larger(g.out_w, 1));
    columns = (outputs - 1) * g.stride_w + span;
    input_rows = Larger(groups * kDotDepth, kStreamRows);
    zero_offset = RoundUp(input_rows * static_cast<int64_t>(sizeof(Row)), kPackedAlignment);
    zero_bytes = VecWide::kBytes + (streams ? g.in_w * g.in_pixel_stride : 0);
    columns_offset = RoundUp(zero_offset + zero_bytes, kPackedAlignment);
    bytes = columns_offset + (streams ? 0 : columns * column_bytes);
  }
  // An input row under the kernel; the pitch is 0 outside the image, where every pixel is the same.
  struct Row {
    const uint8_t* pixels;
    int64_t pitch;
  };
  bool streams;
  int64_t groups;
  int64_t rows;
  int64_t row_units;  // of an image
  int64_t input_rows;
  int64_t span;  // input columns under the kernel
  int64_t outputs;
  int64_t columns;
  int64_t zero_offset;
  int64_t zero_bytes;
  int64_t columns_offset;
  int64_t bytes;
};

// Some outputs of a row, in one block of channels.
struct RowJob {
  const uint8_t* columns;  // [column][row group][4 vectors]
  const uint8_t* block;    // bias and multipliers
  const uint8_t* weights;  // of a shift
  int64_t groups;
  int64_t kernel_w;
  int64_t stride;
  int64_t dilation;
  int64_t outputs;
  uint8_t* output;
  float* output_float;
  int64_t output_stride;
  int channels;  // to store
  const OutputMap* map;
};

// Gathers the columns [x, x + count) of the image, `first` being the block's first channel.
template <class V>
void GatherColumns(const Plan::Row* rows, int64_t groups, const uint8_t* zero, int64_t first, int64_t x, int64_t count,
                   int64_t in_w, uint8_t* columns) {
  const typename V::U8 outside = V::LoadU8(zero);
  for (int64_t group = 0; group < groups; ++group) {
    const Plan::Row* group_rows = rows + group * kDotDepth;
    uint8_t* to = columns + group * 4 * V::kBytes;
    for (int64_t i = 0; i < count; ++i, to += groups * 4 * V::kBytes) {
      typename V::U8 taps[kDotDepth];
      const bool inside = x + i >= 0 && x + i < in_w;
      Unroll<kDotDepth>([&](auto k) QLITE_INLINE {
        const Plan::Row& row = group_rows[k.value];
        taps[k.value] = inside ? V::LoadU8(row.pixels + (row.pitch == 0 ? 0 : (x + i) * row.pitch + first)) : outside;
      });
      typename V::I32 unpacked[4];
      V::Interleave(taps, unpacked);
      Unroll<4>([&](auto j) QLITE_INLINE { V::StoreI32(to + j.value * V::kBytes, unpacked[j.value]); });
    }
  }
}

template <class V>
void StoreFloats(const RowJob& job, const typename V::F32 scaled[4], int64_t x) {
  float unpacked[V::kBytes];
  float channels[V::kBytes];
  for (int j = 0; j < 4; ++j) V::StoreF32(unpacked + j * V::kLanes, scaled[j]);
  for (int slot = 0; slot < V::kBytes; ++slot) {
    channels[UnpackedChannel(slot / V::kLanes, slot % V::kLanes)] = unpacked[slot];
  }
  std::memcpy(job.output_float + x * job.output_stride, channels, static_cast<size_t>(job.channels) * sizeof(float));
}

// Outputs [x, x + kCount). A kernel width and number of row groups of 0 stand for those of the job.
template <class V, Epilogue kEpilogue, int kCount, int kGroups, int kWidth, int kStride>
inline QLITE_INLINE void ComputeOutputs(const RowJob& job, int64_t x) {
  const int64_t groups = kGroups > 0 ? kGroups : job.groups;
  const int64_t width = kWidth > 0 ? kWidth : job.kernel_w;
  const int64_t stride = kStride > 0 ? kStride : job.stride;
  const int64_t dilation = kStride > 0 ? 1 : job.dilation;
  const int64_t column_bytes = groups * 4 * V::kBytes;
  const uint8_t* columns = job.columns + x * stride * column_bytes;
  typename V::F32 scaled[kCount][4];
  Unroll<4>([&](auto j) QLITE_INLINE {
    typename V::I32 acc[kCount];
    Unroll<kCount>([&](auto p) QLITE_INLINE { acc[p.value] = V::LoadI32(job.block + j.value * V::kBytes); });
    const auto tap = [&](int64_t group, int64_t kx) QLITE_INLINE {
      const typename V::I32 w = V::LoadI32(job.weights + ((group * width + kx) * 4 + j.value) * V::kBytes);
      Unroll<kCount>([&](auto p) QLITE_INLINE {
        const int64_t column = p.value * stride + kx * dilation;
        const typename V::I32 taps = V::LoadI32(columns + column * column_bytes + (group * 4 + j.value) * V::kBytes);
        acc[p.value] = V::Dot(acc[p.value], taps, w);
      });
    };
    if constexpr (kWidth > 0) {
      Unroll<kGroups * kWidth>([&](auto i) QLITE_INLINE { tap(i.value / kWidth, i.value % kWidth); });
    } else {
      for (int64_t group = 0; group < groups; ++group) {
        for (int64_t kx = 0; kx < width; ++kx) tap(group, kx);
      }
    }
    const auto* multipliers = reinterpret_cast<const float*>(job.block + 4 * V::kBytes) + j.value * V::kLanes;
    Unroll<kCount>([&](auto p)
                       QLITE_INLINE { scaled[p.value][j.value] = V::Scale(acc[p.value], V::LoadF32(multipliers)); });
  });
  Unroll<kCount>([&](auto p) QLITE_INLINE {
    if constexpr (kEpilogue == Epilogue::kFloat) {
      StoreFloats<V>(job, scaled[p.value], x + p.value);
    } else {
      typename V::I32 rounded[4];
      Unroll<4>([&](auto j) QLITE_INLINE {
        rounded[j.value] = V::template Round<kEpilogue>(scaled[p.value][j.value], *job.map);
      });
      const typename V::U8 bytes = V::template Narrow4<kEpilogue>(rounded, *job.map);
      V::StoreU8(job.output + (x + p.value) * job.output_stride, bytes, job.channels);
    }
  });
}

// The last group of outputs overlaps the one before where outputs are not a multiple: the same bytes are written twice.
template <class V, Epilogue kEpilogue, int kGroups, int kWidth, int kStride>
void ComputeGroups(const RowJob& job) {
  for (int64_t x = 0; x < job.outputs; x += kPixels) {
    ComputeOutputs<V, kEpilogue, kPixels, kGroups, kWidth, kStride>(job, Smaller(x, job.outputs - kPixels));
  }
}

template <class V, Epilogue kEpilogue>
void ComputeRow(const RowJob& job) {
  if (job.outputs < kPixels) {
    for (int64_t x = 0; x < job.outputs; ++x) ComputeOutputs<V, kEpilogue, 1, 0, 0, 0>(job, x);
    return;
  }
  // The usual kernels have code of their own.
  if constexpr (kEpilogue != Epilogue::kFloat) {
    constexpr int kGroups3 = (3 + kDotDepth - 1) / kDotDepth;
    constexpr int kGroups5 = (5 + kDotDepth - 1) / kDotDepth;
    if (job.dilation == 1 && job.kernel_w == 3 && job.groups == kGroups3) {
      if (job.stride == 1) return ComputeGroups<V, kEpilogue, kGroups3, 3, 1>(job);
      if (job.stride == 2) return ComputeGroups<V, kEpilogue, kGroups3, 3, 2>(job);
    }
    if (job.dilation == 1 && job.kernel_w == 5 && job.groups == kGroups5) {
      if (job.stride == 1) return ComputeGroups<V, kEpilogue, kGroups5, 5, 1>(job);
      if (job.stride == 2) return ComputeGroups<V, kEpilogue, kGroups5, 5, 2>(job);
    }
  }
  ComputeGroups<V, kEpilogue, 0, 0, 0>(job);
}

template <class V>
void ComputeRow(Epilogue epilogue, const RowJob& job) {
  switch (epilogue) {
    case Epilogue::kFloat:
      return ComputeRow<V, Epilogue::kFloat>(job);
    case Epilogue::kClamped:
      return ComputeRow<V, Epilogue::kClamped>(job);
    case Epilogue::kSaturated:
      return ComputeRow<V, Epilogue::kSaturated>(job);
  }
}

// What a call has made up its mind about.
struct Context {
  const DepthwiseU8S8Args& args;
  const Plan& plan;
  const OutputMap& map;
  Epilogue epilogue;
  uint8_t* workspace;
};

// The outputs of row `row` + i of the batch, from x on, in the block that begins with channel `first`, but for their
// number and columns.
template <class V>
RowJob MakeJob(const Context& context, int64_t row, int64_t i, int64_t x, int64_t first) {
  const ConvGeometry& g = context.args.geometry;
  RowJob job = {};
  job.block = static_cast<const uint8_t*>(context.args.packed) + kPackedAlignment +
              first * PackedChannelBytes(g.kernel_h, g.kernel_w);
  job.groups = context.plan.groups;
  job.kernel_w = g.kernel_w;
  job.stride = g.stride_w;
  job.dilation = g.dilation_w;
  job.output_stride = g.out_pixel_stride;
  job.channels = static_cast<int>(Smaller(V::kBytes, g.in_c - first));
  job.map = &context.map;
  const int64_t at = ((row + i) * g.out_w + x) * g.out_pixel_stride + first;
  const int64_t shift_vectors = i * g.stride_h * ShiftVectors(g.kernel_h, g.kernel_w);
  job.weights = job.block + (2 + shift_vectors) * 4 * V::kBytes;
  job.output = context.args.output + (context.args.output == nullptr ? 0 : at);
  job.output_float = context.args.output_float + (context.args.output_float == nullptr ? 0 : at);
  return job;
}

// Output rows [row, row + rows) of the batch, from x on as many outputs as the plan takes at a time, in the block that
// begins with channel `first`.
template <class V>
void RunBlock(const Context& context, int64_t row, int64_t rows, int64_t x, int64_t first) {
  const ConvGeometry& g = context.args.geometry;
  const Plan& plan = context.plan;
  const auto* input_rows = reinterpret_cast<const Plan::Row*>(context.workspace);
  uint8_t* columns = context.workspace + plan.columns_offset;
  GatherColumns<V>(input_rows, plan.groups, context.workspace + plan.zero_offset, first, x * g.stride_w - g.pad_left,
                   (Smaller(plan.outputs, g.out_w - x) - 1) * g.stride_w + plan.span, g.in_w, columns);
  for (int64_t i = 0; i < rows; ++i) {
    RowJob job = MakeJob<V>(context, row, i, x, first);
    job.outputs = Smaller(plan.outputs, g.out_w - x);
    job.columns = columns;
    ComputeRow<V>(context.epilogue, job);
  }
}

// The same for whole rows, where they are streamed.
template <class V>
void StreamBlock(const Context& context, int64_t row, int64_t rows, int64_t first) {
  const ConvGeometry& g = context.args.geometry;
  const auto* input_rows = reinterpret_cast<const Plan::Row*>(context.workspace);
  const RowJob job = MakeJob<V>(context, row, 0, 0, first);
  Stream stream;
  for (int k = 0; k < kStreamRows; ++k) stream.rows[k] = input_rows[k].pixels + first;
  stream.outside = context.workspace + context.plan.zero_offset;
  stream.pitch = g.in_pixel_stride;
  stream.begin = -g.pad_left * g.in_pixel_stride;
  stream.end = g.in_w * g.in_pixel_stride;
  stream.block = job.block;
  stream.weights = job.weights;
  if (g.stride_w == 2) stream.weights += Shifts(3) * ShiftVectors(3, 3) * 4 * V::kBytes;
  stream.map = job.map;
  stream.outputs = g.out_w;
  stream.output = job.output;
  stream.output_stride = job.output_stride;
  stream.row_pitch = g.out_w * g.out_pixel_stride;
  stream.channels = job.channels;
  if (context.epilogue == Epilogue::kSaturated) {
    RunStream<V, Epilogue::kSaturated>(stream, g.stride_w, rows);
  } else {
    RunStream<V, Epilogue::kClamped>(stream, g.stride_w, rows);
  }
}

// Whole rows in one block of channels.
template <class V>
void RunBlocks(const Context& context, int64_t row, int64_t rows, int64_t first) {
  if constexpr (kCanStream) {
    if (context.plan.streams) return StreamBlock<V>(context, row, rows, first);
  }
  for (int64_t x = 0; x < context.args.geometry.out_w; x += context.plan.outputs) {
    RunBlock<V>(context, row, rows, x, first);
  }
}

// The input rows under the kernel at an output row of the batch, and those that further shifts reach.
void FindRows(const DepthwiseU8S8Args& args, const Plan& plan, int64_t row, const uint8_t* zero, Plan::Row* rows) {
  const ConvGeometry& g = args.geometry;
  const int64_t image = row / g.out_h;
  const int64_t top = row % g.out_h * g.stride_h - g.pad_top;
  const int64_t used = g.kernel_h + (plan.rows - 1) * g.stride_h;
  for (int64_t i = 0; i < plan.input_rows; ++i) {
    const int64_t y = top + i * g.dilation_h;
    rows[i] = {zero, 0};
    if (i < used && y >= 0 && y < g.in_h) {
      rows[i] = {args.input + (image * g.in_h + y) * g.in_w * g.in_pixel_stride, g.in_pixel_stride};
    }
  }
}

void RunRows(const Context& context, int64_t row, int64_t rows) {
  const ConvGeometry& g = context.args.geometry;
  FindRows(context.args, context.plan, row, context.workspace + context.plan.zero_offset,
           reinterpret_cast<Plan::Row*>(context.workspace));
  for (int64_t first = 0; first < g.in_c;) {
    const int channels = BlockChannels(g.in_c - first);
#if QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
    if (channels == 64) RunBlocks<Vec512>(context, row, rows, first);
#endif
#if QLITE_ISA_avx2 || QLITE_ISA_avx512 || QLITE_ISA_avx512vnni
    if (channels == 32) RunBlocks<Vec256>(context, row, rows, first);
#endif
    if (channels == 16) RunBlocks<Vec128>(context, row, rows, first);
    first += channels;
  }
}

void Run(const DepthwiseU8S8Args& args, int64_t begin, int64_t end, void* workspace) {
  const ConvGeometry& g = args.geometry;
  const Plan plan(args);
  const OutputMap map = MakeOutputMap(args.quantization);
  const Epilogue epilogue = ChooseEpilogue(args.output == nullptr, args.quantization, HasSmallMultipliers(args.packed));
  const Context context = {args, plan, map, epilogue, static_cast<uint8_t*>(workspace)};
  std::memset(context.workspace + plan.zero_offset, args.input_zero_point, static_cast<size_t>(plan.zero_bytes));
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t row = unit % plan.row_units * plan.rows;
    RunRows(context, unit / plan.row_units * g.out_h + row, Smaller(plan.rows, g.out_h - row));
  }
}

size_t WorkspaceBytes(const DepthwiseU8S8Args& args) { return static_cast<size_t>(Plan(args).bytes); }

int64_t Units(const DepthwiseU8S8Args& args) {
  const ConvGeometry& g = args.geometry;
  return g.out_w == 0 ? 0 : g.batch * Plan(args).row_units;
}

constexpr DepthwiseU8S8Kernels kKernels = {&PackedBytes, &Pack, &WorkspaceBytes, &Units, &Run};

}  // namespace
}  // namespace u8

extern const DepthwiseU8S8Kernels kDepthwiseU8S8Kernels;
const DepthwiseU8S8Kernels kDepthwiseU8S8Kernels = u8::kKernels;

}  // namespace qlite::kernels::QLITE_ISA
