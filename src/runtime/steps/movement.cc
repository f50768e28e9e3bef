// Operators that move elements without computing: Concat, Split, Slice, Transpose, Expand, Reshape and their kin.
#include "runtime/steps/movement.h"

#include <algorithm>

#include "core/shape_util.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/steps/broadcast.h"
#include "runtime/steps/copies.h"

namespace qlite {

absl::Status CheckMovement(const Lowering& lowering, const Node& node, ValueId in, ValueId out) {
  if (lowering.Type(in) != lowering.Type(out)) {
    return lowering.Invalid(node, StrCat("input is ", ElementTypeName(lowering.Type(in)), ", output ",
                                         ElementTypeName(lowering.Type(out))));
  }
  if (lowering.Type(in) != ElementType::kInt8) return absl::OkStatus();
  // int8 data that stand for no real numbers are moved as they are.
  if (!lowering.graph().value(in).quant && !lowering.graph().value(out).quant) return absl::OkStatus();
  QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, in));
  return lowering.RequireQuantized(node, out);
}

namespace {

bool NeedsRequantization(const Lowering& lowering, ValueId in, ValueId out) {
  return lowering.Type(in) == ElementType::kInt8 &&
         lowering.graph().value(in).quant != lowering.graph().value(out).quant;
}

}  // namespace

void FinishMovement(Lowering& lowering, ValueId in, ValueId out, const Placement& place) {
  if (!NeedsRequantization(lowering, in, out)) return;
  EmitRequantize(lowering, place.at, lowering.Quant(in), place.at, lowering.Quant(out), place.elements());
}

void AliasMovement(Lowering& lowering, ValueId in, ValueId out, const Placement& place) {
  if (!NeedsRequantization(lowering, in, out)) return lowering.Alias(out, place);
  const Placement own = lowering.Write(out, place.layout);
  EmitRequantize(lowering, place.at, lowering.Quant(in), own.at, lowering.Quant(out), place.elements());
}

namespace {

// Strides by physical position of `layout`.
std::vector<int64_t> InOrder(const std::vector<int64_t>& strides, Layout layout) {
  std::vector<int64_t> ordered;
  for (int axis : PhysicalOrder(strides.size(), layout)) ordered.push_back(strides[static_cast<size_t>(axis)]);
  return ordered;
}

// Copies `in` to the part of `whole` that starts at `first` along `axis`.
void EmitCopyToPart(Lowering& lowering, const Placement& in, const Placement& whole, int64_t axis, int64_t first) {
  const auto size = static_cast<int64_t>(ElementSize(whole.type));
  const std::vector<int64_t> strides = whole.Strides();
  EmitStridedCopy(lowering, PhysicalExtents(in.dims, whole.layout), in.at, InOrder(in.Strides(), whole.layout),
                  whole.at.Plus(first * strides[static_cast<size_t>(axis)] * size), InOrder(strides, whole.layout),
                  static_cast<size_t>(size));
}

// The dense value at `place` under other extents.
Placement Reinterpreted(const Placement& place, const Extents& dims, Layout layout) {
  Placement renamed = place;
  renamed.dims = dims;
  renamed.layout = dims.size() < 3 ? Layout::kRowMajor : layout;
  renamed.pixel_stride = renamed.layout == Layout::kChannelsLast ? dims[1] : 0;
  return renamed;
}

bool SameSlice(const Lowering& lowering, const Placement& place, const Placement& whole, int64_t channel) {
  const auto size = static_cast<int64_t>(ElementSize(whole.type));
  return place.layout == whole.layout && place.at.buffer == whole.at.buffer && lowering.fuse() &&
         place.at.offset == whole.at.offset + channel * size && place.pixel_stride == whole.dims[1];
}

}  // namespace

namespace steps {

absl::Status Concat(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  for (ValueId input : node.inputs) QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  auto axis = NormalizeAxis(node.attr<AxisAttrs>().axis, static_cast<int64_t>(lowering.Dims(result).size()));
  if (!axis.ok()) return lowering.Invalid(node, Message(axis.status()));
  const Placement* joined = lowering.Joined(result);
  const Placement out = joined != nullptr ? *joined : lowering.Write(result, lowering.PreferredLayout(node));
  int64_t first = 0;
  for (ValueId input : node.inputs) {
    Placement in = lowering.ReadAsIs(input);
    if (joined == nullptr || !SameSlice(lowering, in, out, first)) {
      if (NeedsRequantization(lowering, input, result)) {
        in = lowering.Read(input, in.layout);
        Placement converted = in;
        converted.at = lowering.NewBuffer(in.elements());
        EmitRequantize(lowering, in.at, lowering.Quant(input), converted.at, lowering.Quant(result), in.elements());
        in = converted;
      }
      if (in.elements() > 0) EmitCopyToPart(lowering, in, out, *axis, first);
    }
    first += in.dims[static_cast<size_t>(*axis)];
  }
  return absl::OkStatus();
}

// Parts of the channels of a channels-last value are used where they lie; so are parts that are dense in themselves.
absl::Status Split(Lowering& lowering, const Node& node) {
  const Placement in = lowering.ReadAsIs(node.inputs[0]);
  auto axis = NormalizeAxis(node.attr<SplitAttrs>().axis, static_cast<int64_t>(in.dims.size()));
  if (!axis.ok()) return lowering.Invalid(node, Message(axis.status()));
  const std::vector<int64_t> strides = in.Strides();
  const int64_t step = strides[static_cast<size_t>(*axis)] * static_cast<int64_t>(ElementSize(in.type));
  int64_t first = 0;
  for (ValueId output : node.outputs) {
    if (!output.valid()) return lowering.Unimplemented(node, "has an unused output; remove it");
    QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, node.inputs[0], output));
    Placement part = in;
    part.dims = lowering.Dims(output);
    part.at = in.at.Plus(first * step);
    first += part.dims[static_cast<size_t>(*axis)];
    const bool channels = in.layout == Layout::kChannelsLast && *axis == 1 && part.dims[1] > 0;
    const bool whole = IsDense(part.dims, strides, in.layout) && in.dense();
    if (whole && in.layout == Layout::kChannelsLast) part.pixel_stride = part.dims[1];
    if (lowering.fuse() && (channels || whole) && in.at.buffer >= 0 &&
        !NeedsRequantization(lowering, node.inputs[0], output)) {
      lowering.Alias(output, part);
      continue;
    }
    const Placement out = lowering.Write(output, in.layout);
    EmitStridedCopy(lowering, PhysicalExtents(part.dims, out.layout), part.at, InOrder(strides, out.layout), out.at,
                    InOrder(out.Strides(), out.layout), ElementSize(in.type));
    FinishMovement(lowering, node.inputs[0], output, out);
  }
  return absl::OkStatus();
}

absl::Status Slice(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, node.inputs[0], result));
  const Placement in = lowering.ReadAsIs(node.inputs[0]);
  auto starts = lowering.Integers(node, 1);
  if (!starts.ok()) return starts.status();
  auto ends = lowering.Integers(node, 2);
  if (!ends.ok()) return ends.status();
  std::vector<int64_t> axes(starts->size()), steps(starts->size(), 1);
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  for (size_t k = 3; k < 5; ++k) {
    if (!node.has_input(k)) continue;
    auto given = lowering.Integers(node, k);
    if (!given.ok()) return given.status();
    (k == 3 ? axes : steps) = *given;
  }
  std::vector<int64_t> strides = in.Strides();
  int64_t offset = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    auto axis = NormalizeAxis(axes[i], static_cast<int64_t>(in.dims.size()));
    if (!axis.ok()) return lowering.Invalid(node, Message(axis.status()));
    const auto d = static_cast<size_t>(*axis);
    const SliceRange range = ResolveSlice((*starts)[i], (*ends)[i], steps[i], in.dims[d]);
    offset += range.start * strides[d];
    strides[d] *= range.step;
  }
  const Placement out = lowering.Write(result, in.layout);
  if (out.elements() == 0) return absl::OkStatus();
  EmitStridedCopy(lowering, PhysicalExtents(out.dims, out.layout),
                  in.at.Plus(offset * static_cast<int64_t>(ElementSize(in.type))), InOrder(strides, out.layout), out.at,
                  InOrder(out.Strides(), out.layout), ElementSize(in.type));
  FinishMovement(lowering, node.inputs[0], result, out);
  return absl::OkStatus();
}

// A transposition that only renames the order in which the elements lie already is free.
absl::Status Transpose(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, node.inputs[0], result));
  const Placement in = lowering.Read(node.inputs[0], lowering.LayoutOf(node.inputs[0]));
  std::vector<int64_t> perm = node.attr<TransposeAttrs>().perm;
  if (perm.empty()) {
    for (size_t i = in.dims.size(); i-- > 0;) perm.push_back(static_cast<int64_t>(i));
  }
  const std::vector<int64_t> own = in.Strides();
  std::vector<int64_t> strides;
  for (int64_t from : perm) strides.push_back(own[static_cast<size_t>(from)]);
  const Extents& dims = lowering.Dims(result);
  for (Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
    if (!IsDense(dims, strides, layout)) continue;
    AliasMovement(lowering, node.inputs[0], result, Reinterpreted(in, dims, layout));
    return absl::OkStatus();
  }
  const Placement out = lowering.Write(result, Layout::kRowMajor);
  EmitStridedCopy(lowering, dims, in.at, strides, out.at, DenseStrides(dims, Layout::kRowMajor), ElementSize(in.type));
  FinishMovement(lowering, node.inputs[0], result, out);
  return absl::OkStatus();
}

absl::Status Expand(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, node.inputs[0], result));
  const Placement in = lowering.ReadAsIs(node.inputs[0]);
  const bool same_rank = in.dims.size() == lowering.Dims(result).size();
  const Placement out = lowering.Write(result, same_rank ? in.layout : Layout::kRowMajor);
  if (out.elements() == 0) return absl::OkStatus();
  const Extents shape = PhysicalExtents(out.dims, out.layout);
  EmitStridedCopy(lowering, shape, in.at, BroadcastStrides(in, out), out.at, DenseStrides(shape, Layout::kRowMajor),
                  ElementSize(in.type));
  FinishMovement(lowering, node.inputs[0], result, out);
  return absl::OkStatus();
}

// Reshape, Flatten, Squeeze, Unsqueeze and Identity: other extents for the same elements in row-major order.
absl::Status Reinterpret(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  const bool same = lowering.Dims(input) == lowering.Dims(result);
  const Layout layout = same ? lowering.LayoutOf(input) : Layout::kRowMajor;
  const Placement in = lowering.Read(input, layout);
  AliasMovement(lowering, input, result, Reinterpreted(in, lowering.Dims(result), layout));
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
