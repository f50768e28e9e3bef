// MaxPool, AveragePool and the global pools, float and int8.
#include "core/node_geometry.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/pool_f32.h"
#include "kernels/pool_u8.h"
#include "kernels/reduce_f32.h"
#include "runtime/lowering.h"
#include "runtime/steps/conv_steps.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/mean_u8.h"

namespace qlite {
namespace {

// [0] is the height (1 in the 1-D case), [1] the width.
struct PoolShape {
  int64_t in[2] = {1, 1}, out[2] = {1, 1}, kernel[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1};
  int64_t pad_begin[2] = {0, 0}, pad_end[2] = {0, 0};
};

absl::StatusOr<PoolShape> PoolShapeOf(const Lowering& lowering, const Node& node) {
  const Extents& in = lowering.Dims(node.inputs[0]);
  const Extents& out = lowering.Dims(node.outputs[0]);
  QLITE_RETURN_IF_ERROR(CheckImageRank(lowering, node, in.size()));
  const std::vector<Dim> input_dims(in.begin() + 2, in.end());
  auto geometry = PoolGeometry(node.attr<PoolAttrs>(), input_dims);
  if (!geometry.ok()) return lowering.Invalid(node, Message(geometry.status()));
  PoolShape shape;
  for (size_t i = 0; i < geometry->axes.size(); ++i) {
    const WindowAxis& axis = geometry->axes[i];
    const size_t d = i + 2 - geometry->axes.size();
    shape.in[d] = in[i + 2], shape.out[d] = out[i + 2];
    shape.kernel[d] = axis.kernel.value, shape.stride[d] = axis.stride, shape.dilation[d] = axis.dilation;
    shape.pad_begin[d] = axis.pad_begin, shape.pad_end[d] = axis.pad_end;
  }
  return shape;
}

double PoolCost(const Placement& out, const PoolShape& shape, double each) {
  return static_cast<double>(out.elements() * shape.kernel[0] * shape.kernel[1]) * each;
}

void EmitFloatPool(Lowering& lowering, const Node& node, const PoolShape& shape, const Placement& in,
                   const Placement& out) {
  kernels::Pool2d pool;
  pool.channels = in.dims[1];
  pool.in_height = shape.in[0], pool.in_width = shape.in[1], pool.in_pixel_stride = in.pixel_stride;
  pool.out_height = shape.out[0], pool.out_width = shape.out[1], pool.out_pixel_stride = out.pixel_stride;
  pool.kernel_height = shape.kernel[0], pool.kernel_width = shape.kernel[1];
  pool.stride_height = shape.stride[0], pool.stride_width = shape.stride[1];
  pool.dilation_height = shape.dilation[0], pool.dilation_width = shape.dilation[1];
  pool.pad_top = shape.pad_begin[0], pool.pad_left = shape.pad_begin[1];
  pool.pad_bottom = shape.pad_end[0], pool.pad_right = shape.pad_end[1];
  pool.count_include_pad = node.attr<PoolAttrs>().count_include_pad;
  const auto& kernels = kernels::PoolF32(lowering.isa());
  const auto run = node.op == OpType::kMaxPool ? kernels.max : kernels.average;
  const int64_t rows = in.dims[0] * shape.out[0];
  const double cost = PoolCost(out, shape, 0.08);
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(rows, cost, [&](int64_t begin, int64_t end, int) {
      run(pool, frame.In<float>(from), frame.Out<float>(to), begin, end);
    });
    return absl::OkStatus();
  });
}

kernels::PoolU8Args ByteArgs(const PoolShape& shape, const Placement& in, const Placement& out) {
  kernels::PoolU8Args args;
  args.batch = in.dims[0], args.channels = in.dims[1];
  args.in_h = shape.in[0], args.in_w = shape.in[1];
  args.out_h = shape.out[0], args.out_w = shape.out[1];
  args.kernel_h = shape.kernel[0], args.kernel_w = shape.kernel[1];
  args.stride_h = shape.stride[0], args.stride_w = shape.stride[1];
  args.dilation_h = shape.dilation[0], args.dilation_w = shape.dilation[1];
  args.pad_top = shape.pad_begin[0], args.pad_left = shape.pad_begin[1];
  args.pad_bottom = shape.pad_end[0], args.pad_right = shape.pad_end[1];
  args.in_pixel_stride = in.pixel_stride, args.out_pixel_stride = out.pixel_stride;
  return args;
}

void EmitByteMax(Lowering& lowering, const kernels::PoolU8Args& args, const Placement& in, const Placement& out,
                 double cost) {
  const auto run = kernels::PoolU8(lowering.isa()).max;
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    kernels::PoolU8Args now = args;
    now.input = frame.In<uint8_t>(from);
    now.output = frame.Out<uint8_t>(to);
    frame.ParallelFor(now.batch * now.out_h, cost, [&](int64_t begin, int64_t end, int) { run(now, begin, end); });
    return absl::OkStatus();
  });
}

// A pool of int8 values; MaxPool and GlobalMaxPool take the maximum, the others the mean.
absl::Status BytePool(Lowering& lowering, const Node& node, const PoolShape& shape) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, input));
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, result));
  const Placement in = lowering.ReadPixels(input);
  const bool maximum = node.op == OpType::kMaxPool || node.op == OpType::kGlobalMaxPool;
  const bool same_numbers = lowering.Quant(input) == lowering.Quant(result);
  const Placement out =
      maximum && !same_numbers ? lowering.Write(result, Layout::kChannelsLast) : lowering.WritePixels(result);
  const kernels::PoolU8Args args = ByteArgs(shape, in, out);
  if (maximum) {
    EmitByteMax(lowering, args, in, out, PoolCost(out, shape, 0.03));
    EmitRequantize(lowering, out.at, lowering.Quant(input), out.at, lowering.Quant(result), out.elements());
  } else {
    const bool counts_padding = node.op == OpType::kAveragePool && node.attr<PoolAttrs>().count_include_pad;
    EmitByteMean(lowering, args, counts_padding, in.at, lowering.Quant(input), out.at, lowering.Quant(result));
  }
  return absl::OkStatus();
}

}  // namespace

namespace steps {

absl::Status Pool(Lowering& lowering, const Node& node) {
  if (node.outputs.size() > 1)
    return lowering.Unimplemented(node, "the second output (positions of the maxima) is not supported");
  auto shape = PoolShapeOf(lowering, node);
  if (!shape.ok()) return shape.status();
  if (lowering.Type(node.inputs[0]) == ElementType::kInt8) return BytePool(lowering, node, *shape);
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[0]));
  const Placement in = lowering.ReadPixels(node.inputs[0]);
  const Placement out = lowering.WritePixels(node.outputs[0]);
  EmitFloatPool(lowering, node, *shape, in, out);
  return absl::OkStatus();
}

absl::Status GlobalPool(Lowering& lowering, const Node& node) {
  const Extents& dims = lowering.Dims(node.inputs[0]);
  if (lowering.Type(node.inputs[0]) == ElementType::kInt8) {
    QLITE_RETURN_IF_ERROR(CheckImageRank(lowering, node, dims.size()));
    PoolShape shape;
    shape.in[0] = shape.kernel[0] = dims.size() == 4 ? dims[2] : 1;
    shape.in[1] = shape.kernel[1] = dims.back();
    return BytePool(lowering, node, shape);
  }
  QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, node.inputs[0]));
  const bool last = lowering.LayoutOf(node.inputs[0]) == Layout::kChannelsLast;
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  const Placement out = lowering.Write(node.outputs[0], in.layout);
  int64_t pixels = 1;
  for (size_t i = 2; i < dims.size(); ++i) pixels *= dims[i];
  const int64_t lines = dims[0] * dims[1], inner = last ? dims[1] : 1;
  const auto op = node.op == OpType::kGlobalMaxPool ? kernels::ReduceOp::kMax : kernels::ReduceOp::kMean;
  const auto run = kernels::ReduceF32(lowering.isa())[op];
  const double cost = static_cast<double>(in.elements()) * 0.15;
  lowering.Emit({in.at, out.at}, [=, from = in.at, to = out.at](const Frame& frame) {
    frame.ParallelFor(lines, cost, [&](int64_t begin, int64_t end, int) {
      run(frame.In<float>(from), frame.Out<float>(to), pixels, inner, begin, end);
    });
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
