// ReduceMean, ReduceSum, ReduceMax, ReduceMin and ArgMax.
#include <algorithm>

#include "core/shape_util.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/reduce_f32.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/copies.h"
#include "runtime/steps/integer_rules.h"
#include "runtime/steps/lines.h"
#include "runtime/steps/mean_u8.h"

namespace qlite {
namespace {

kernels::ReduceOp OpOf(OpType op) {
  switch (op) {
    case OpType::kReduceSum:
      return kernels::ReduceOp::kSum;
    case OpType::kReduceMax:
      return kernels::ReduceOp::kMax;
    case OpType::kReduceMin:
      return kernels::ReduceOp::kMin;
    default:
      return kernels::ReduceOp::kMean;
  }
}

absl::StatusOr<std::vector<int64_t>> AxesOf(const Lowering& lowering, const Node& node, int64_t rank) {
  const auto& attrs = node.attr<ReduceAttrs>();
  std::vector<int64_t> all;
  if (attrs.axes.empty() && !attrs.no_op_with_empty_axes) {
    for (int64_t i = 0; i < rank; ++i) all.push_back(i);
    return all;
  }
  auto axes = NormalizeAxes(attrs.axes, rank);
  if (!axes.ok()) return lowering.Invalid(node, Message(axes.status()));
  return *axes;
}

// The layout in which the elements that are summed keep their row-major order, so that sums have the same bits, and in
// which the result lies as its own layout says.
Layout LayoutFor(const Lowering& lowering, const Node& node, const std::vector<int64_t>& axes) {
  const ValueId input = node.inputs[0];
  if (lowering.LayoutOf(input) == Layout::kRowMajor) return Layout::kRowMajor;
  const bool spatial = std::all_of(axes.begin(), axes.end(), [](int64_t axis) { return axis >= 2; });
  return spatial || axes == std::vector<int64_t>{1} ? Layout::kChannelsLast : Layout::kRowMajor;
}

// How the result lies when `axes` of a value in `layout` are reduced.
Layout ResultLayout(const Node& node, const std::vector<int64_t>& axes, Layout layout) {
  const bool channels_gone = axes == std::vector<int64_t>{1} && !node.attr<ReduceAttrs>().keep_dims;
  return channels_gone ? Layout::kRowMajor : layout;
}

absl::Status EmitReduce(Lowering& lowering, const Node& node, const kernels::ReducePlan& plan, const Operand& in,
                        const Placement& out) {
  const kernels::ReduceOp op = OpOf(node.op);
  const int64_t lines = plan.outer * plan.inner;
  const double cost = static_cast<double>(lines * plan.length) * 0.2;
  if (out.type == ElementType::kFloat32) {
    const auto run = kernels::ReduceF32(lowering.isa())[op];
    lowering.Emit({in, out.at}, [=, to = out.at](const Frame& frame) {
      frame.ParallelFor(lines, cost, [&](int64_t begin, int64_t end, int) {
        run(frame.In<float>(in), frame.Out<float>(to), plan.length, plan.inner, begin, end);
      });
      return absl::OkStatus();
    });
    return absl::OkStatus();
  }
  if (plan.length == 0 && op != kernels::ReduceOp::kSum) return lowering.Invalid(node, "reduces no elements");
  const bool wide = out.type == ElementType::kInt64;
  lowering.Emit({in, out.at}, [=, to = out.at](const Frame& frame) {
    if (wide) {
      kernels::ReduceInteger(op, frame.In<int64_t>(in), frame.Out<int64_t>(to), plan.length, plan.inner, 0, lines);
    } else {
      kernels::ReduceInteger(op, frame.In<int32_t>(in), frame.Out<int32_t>(to), plan.length, plan.inner, 0, lines);
    }
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

// The kept dimensions first, then the reduced ones.
Operand Transposed(Lowering& lowering, const Placement& in, const kernels::ReducePlan& plan) {
  const Extents shape = PhysicalExtents(in.dims, in.layout);
  const std::vector<int64_t> dense = DenseStrides(shape, Layout::kRowMajor);
  Extents order;
  std::vector<int64_t> strides;
  for (int i = 0; i < plan.rank; ++i) {
    order.push_back(shape[static_cast<size_t>(plan.permutation[i])]);
    strides.push_back(dense[static_cast<size_t>(plan.permutation[i])]);
  }
  const Operand transposed = lowering.NewBuffer(in.bytes());
  EmitStridedCopy(lowering, order, in.at, strides, transposed, DenseStrides(order, Layout::kRowMajor),
                  ElementSize(in.type));
  return transposed;
}

absl::Status IntegerMean(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  if (!integer_rules::SpatialMean(lowering.graph(), node) || node.op != OpType::kReduceMean) {
    return lowering.Unimplemented(
        node, "has an integer step for the mean over all spatial dimensions alone; keep it in float");
  }
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, input));
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, result));
  const Placement in = lowering.Read(input, Layout::kChannelsLast);
  const Placement out = lowering.Write(result, Layout::kChannelsLast);
  const int64_t height = in.dims.size() == 4 ? in.dims[2] : 1;
  EmitByteMean(lowering, kernels::GlobalPoolU8(in.dims[0], height, in.dims.back(), in.dims[1]), false, in.at,
               lowering.Quant(input), out.at, lowering.Quant(result));
  return absl::OkStatus();
}

template <class T>
void EmitArgMax(Lowering& lowering, const Lines& lines, bool last, const Operand& in, const Operand& out) {
  const double cost = static_cast<double>(lines.outer * lines.inner * lines.length) * 0.5;
  lowering.Emit({in, out}, [=](const Frame& frame) {
    frame.ParallelFor(lines.outer * lines.inner, cost, [&](int64_t begin, int64_t end, int) {
      kernels::ArgMax(frame.In<T>(in), frame.Out<int64_t>(out), lines.length, lines.inner, last, begin, end);
    });
    return absl::OkStatus();
  });
}

}  // namespace

namespace steps {

absl::Status Reduce(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0];
  const ElementType type = lowering.Type(input);
  if (type == ElementType::kInt8) return IntegerMean(lowering, node);
  if (type != ElementType::kInt64 && type != ElementType::kInt32)
    QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  auto axes = AxesOf(lowering, node, static_cast<int64_t>(lowering.Dims(input).size()));
  if (!axes.ok()) return axes.status();
  const Layout layout = LayoutFor(lowering, node, *axes);
  const Placement in = lowering.Read(input, layout);
  std::vector<int64_t> positions;
  for (int64_t axis : *axes) positions.push_back(PhysicalAxis(axis, in.dims.size(), in.layout));
  kernels::ReducePlan plan;
  if (!kernels::PlanReduce(PhysicalExtents(in.dims, in.layout), positions, &plan)) {
    return lowering.Invalid(node, "the axes cannot be reduced");
  }
  const Operand from = plan.transpose ? Transposed(lowering, in, plan) : in.at;
  const Placement out = lowering.Write(node.outputs[0], ResultLayout(node, *axes, layout));
  return EmitReduce(lowering, node, plan, from, out);
}

absl::Status ArgMax(Lowering& lowering, const Node& node) {
  const auto& attrs = node.attr<ArgMaxAttrs>();
  const Placement in = lowering.Read(node.inputs[0], Layout::kRowMajor);
  auto lines = LinesAlong(lowering, node, in, attrs.axis);
  if (!lines.ok()) return lines.status();
  if (lines->length == 0) return lowering.Invalid(node, "looks for the largest of no elements");
  const Placement out = lowering.Write(node.outputs[0], Layout::kRowMajor);
  switch (in.type) {
    case ElementType::kFloat32:
      EmitArgMax<float>(lowering, *lines, attrs.select_last_index, in.at, out.at);
      break;
    case ElementType::kInt32:
      EmitArgMax<int32_t>(lowering, *lines, attrs.select_last_index, in.at, out.at);
      break;
    case ElementType::kInt64:
      EmitArgMax<int64_t>(lowering, *lines, attrs.select_last_index, in.at, out.at);
      break;
    // The bytes of int8 values are in the order of the values.
    case ElementType::kInt8:
    case ElementType::kUInt8:
      EmitArgMax<uint8_t>(lowering, *lines, attrs.select_last_index, in.at, out.at);
      break;
    default:
      return lowering.Unimplemented(node, StrCat("cannot run on ", ElementTypeName(in.type)));
  }
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
