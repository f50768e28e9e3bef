#include "runtime/steps/binary_u8.h"

#include <numeric>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/elementwise_u8.h"
#include "runtime/requantization.h"
#include "runtime/steps/broadcast.h"
#include "runtime/steps/copies.h"

namespace qlite {
namespace {

using kernels::BinaryU8Args;
using kernels::BroadcastU8;

// How the operands meet: `groups` times rows x cols, where the second operand moves on by b_step with each group.
struct Meeting {
  int64_t groups = 1, rows = 1, cols = 1;
  int64_t a_stride = 0, out_stride = 0, b_step = 0;
  BroadcastU8 broadcast = BroadcastU8::kNone;
};

// Writes an operand that is broadcast in a way the kernels do not know to memory of the result's extents.
Placement Expanded(Lowering& lowering, const Placement& operand, const Placement& out) {
  Placement full = out;
  full.type = operand.type;
  full.pixel_stride = full.layout == Layout::kChannelsLast ? full.dims[1] : 0;
  full.at = lowering.NewBuffer(full.elements());
  const Extents shape = PhysicalExtents(out.dims, out.layout);
  EmitStridedCopy(lowering, shape, operand.at, BroadcastStrides(operand, full), full.at,
                  DenseStrides(shape, Layout::kRowMajor), 1);
  return full;
}

// True, with the way, where the strides of b over the physical extents are one of those the kernels know.
bool FindMeeting(const Extents& shape, const std::vector<int64_t>& b_strides, Meeting& meeting) {
  const int64_t elements = ElementsOf(shape);
  size_t first = shape.size();  // dimensions from here on are b's own, dense
  int64_t dense = 1;
  while (first > 0 && (shape[first - 1] == 1 || b_strides[first - 1] == dense)) dense *= shape[--first];
  size_t middle = first;  // from here to `first` b is repeated
  int64_t rows = 1;
  while (middle > 0 && (shape[middle - 1] == 1 || b_strides[middle - 1] == 0)) rows *= shape[--middle];
  int64_t groups = 1, expected = dense;
  for (size_t d = middle; d > 0; --d) {
    if (shape[d - 1] != 1 && b_strides[d - 1] != expected) return false;
    expected *= shape[d - 1];
    groups *= shape[d - 1];
  }
  meeting = {groups, rows, dense, dense, dense, groups > 1 ? dense : 0, BroadcastU8::kRow};
  if (dense == 1 && rows > 1) meeting = {groups, 1, rows, rows, rows, groups > 1 ? 1 : 0, BroadcastU8::kScalar};
  if (rows == 1) meeting = {1, 1, elements, elements, elements, 0, BroadcastU8::kNone};
  return true;
}

struct Arithmetic {
  bool product = false;
  kernels::AddU8Coefficients sum;
  int32_t zero_a = 0, zero_b = 0;
  float multiplier = 1;
  kernels::OutputQuantization quantization;
};

Arithmetic ArithmeticOf(const Lowering& lowering, const Node& node, bool swapped) {
  const QuantParams& a = lowering.Quant(node.inputs[swapped ? 1 : 0]);
  const QuantParams& b = lowering.Quant(node.inputs[swapped ? 0 : 1]);
  const QuantParams& out = lowering.Quant(lowering.Result());
  Arithmetic arithmetic;
  arithmetic.product = node.op == OpType::kMul;
  arithmetic.zero_a = ByteZeroPoint(a);
  arithmetic.zero_b = ByteZeroPoint(b);
  arithmetic.quantization = OutputQuantizationOf(out, lowering.Clamp());
  if (arithmetic.product) {
    arithmetic.multiplier = RequantizeMultiplier(a.scales[0], b.scales[0], out.scales[0]);
  } else {
    arithmetic.sum = kernels::MakeAddU8(a.scales[0], arithmetic.zero_a, b.scales[0], arithmetic.zero_b, out.scales[0],
                                        node.op == OpType::kSub ? -1 : 1);
  }
  return arithmetic;
}

void EmitBytes(Lowering& lowering, const Arithmetic& arithmetic, const Meeting& meeting, const Placement& a,
               const Placement& b, const Placement& out) {
  const auto& kernels = kernels::ElementwiseU8(lowering.isa());
  // One long row is cut into pieces so that threads can share it.
  constexpr int64_t kPiece = 4096;
  const bool one_row = meeting.broadcast != BroadcastU8::kRow;
  const int64_t pieces = one_row ? (meeting.cols + kPiece - 1) / kPiece : meeting.rows;
  const double cost = static_cast<double>(out.elements()) * 0.3;
  lowering.Emit({a.at, b.at, out.at}, [=, add = kernels.add, mul = kernels.mul, a_at = a.at, b_at = b.at,
                                       out_at = out.at](const Frame& frame) {
    const auto run = [&](int64_t group, int64_t begin, int64_t end) {
      BinaryU8Args args;
      const int64_t base = group * meeting.rows * meeting.cols;
      const int64_t from = one_row ? begin * kPiece : 0;
      args.rows = meeting.rows;
      args.cols = one_row ? std::min(end * kPiece, meeting.cols) - from : meeting.cols;
      args.a = frame.In<uint8_t>(a_at) + base + from;
      args.b = frame.In<uint8_t>(b_at) + group * meeting.b_step + (meeting.broadcast == BroadcastU8::kNone ? from : 0);
      args.output = frame.Out<uint8_t>(out_at) + base + from;
      args.a_stride = meeting.a_stride, args.b_stride = meeting.a_stride, args.output_stride = meeting.out_stride;
      args.broadcast = meeting.broadcast;
      args.quantization = arithmetic.quantization;
      const int64_t first = one_row ? 0 : begin, last = one_row ? 1 : end;
      if (arithmetic.product) {
        mul(args, arithmetic.zero_a, arithmetic.zero_b, arithmetic.multiplier, first, last);
      } else {
        add(args, arithmetic.sum, first, last);
      }
    };
    frame.ParallelFor(meeting.groups * pieces, cost, [&](int64_t begin, int64_t end, int) {
      for (int64_t unit = begin; unit < end;) {
        const int64_t group = unit / pieces, stop = std::min(end, (group + 1) * pieces);
        run(group, unit - group * pieces, stop - group * pieces);
        unit = stop;
      }
    });
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status BinaryBytes(Lowering& lowering, const Node& node) {
  if (node.op != OpType::kAdd && node.op != OpType::kSub && node.op != OpType::kMul) {
    return lowering.Unimplemented(node, "has no integer step; keep it in float (Dequantize before it)");
  }
  const ValueId result = lowering.Result();
  for (ValueId input : node.inputs) QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, input));
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, result));

  const Layout layout = lowering.PreferredLayout(node);
  const Extents& extents = lowering.Dims(result);
  const auto read = [&](ValueId id) {
    return lowering.Dims(id) == extents ? lowering.Read(id, layout) : lowering.Read(id, lowering.LayoutOf(id));
  };
  Placement a = read(node.inputs[0]), b = read(node.inputs[1]);
  // The kernels broadcast the second operand; a difference keeps its order.
  const bool swapped = a.dims != extents && b.dims == extents && node.op != OpType::kSub;
  if (swapped) std::swap(a, b);
  Placement shaped = a;  // the result's extents and layout, for planning
  shaped.dims = extents;
  shaped.layout = extents.size() < 3 ? Layout::kRowMajor : layout;
  shaped.pixel_stride = shaped.layout == Layout::kChannelsLast ? extents[1] : 0;
  if (a.dims != extents) a = Expanded(lowering, a, shaped);
  Meeting meeting;
  const Extents shape = PhysicalExtents(extents, shaped.layout);
  if (!FindMeeting(shape, BroadcastStrides(b, shaped), meeting)) {
    b = Expanded(lowering, b, shaped);
    FindMeeting(shape, BroadcastStrides(b, shaped), meeting);
  }
  const Placement out = lowering.WriteOver(result, a, {b});
  EmitBytes(lowering, ArithmeticOf(lowering, node, swapped), meeting, a, b, out);
  return absl::OkStatus();
}

kernels::ResidualU8 ResidualOf(const Lowering& lowering, const Placement& residual_place) {
  const Arithmetic arithmetic = ArithmeticOf(lowering, lowering.Addition(), false);
  kernels::ResidualU8 residual;
  residual.stride = residual_place.pixel_stride;
  residual.comes_first = lowering.Addition().inputs[0] == lowering.Residual();
  residual.coefficients = arithmetic.sum;
  residual.quantization = arithmetic.quantization;
  return residual;
}

}  // namespace qlite
