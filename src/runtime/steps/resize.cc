// Resize of one or two neighbouring dimensions.
#include <array>
#include <cstring>
#include <memory>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "kernels/resize_f32.h"
#include "runtime/lowering.h"
#include "runtime/requantization.h"
#include "runtime/steps/movement.h"

namespace qlite {
namespace {

kernels::ResizeAxis AxisOf(const ResizeAttrs& attrs, int64_t in, int64_t out, float scale) {
  kernels::ResizeAxis axis;
  axis.mode = static_cast<kernels::ResizeMode>(attrs.mode);
  switch (attrs.nearest) {
    case NearestMode::kRoundPreferFloor:
      axis.nearest = kernels::ResizeNearest::kRoundPreferFloor;
      break;
    case NearestMode::kRoundPreferCeil:
      axis.nearest = kernels::ResizeNearest::kRoundPreferCeil;
      break;
    case NearestMode::kFloor:
      axis.nearest = kernels::ResizeNearest::kFloor;
      break;
    case NearestMode::kCeil:
      axis.nearest = kernels::ResizeNearest::kCeil;
      break;
  }
  switch (attrs.coordinates) {
    case CoordinateMode::kHalfPixel:
      axis.coordinates = kernels::ResizeCoordinates::kHalfPixel;
      break;
    case CoordinateMode::kHalfPixelSymmetric:
      axis.coordinates = kernels::ResizeCoordinates::kHalfPixelSymmetric;
      break;
    case CoordinateMode::kPytorchHalfPixel:
      axis.coordinates = kernels::ResizeCoordinates::kPytorchHalfPixel;
      break;
    case CoordinateMode::kAlignCorners:
      axis.coordinates = kernels::ResizeCoordinates::kAlignCorners;
      break;
    case CoordinateMode::kAsymmetric:
      axis.coordinates = kernels::ResizeCoordinates::kAsymmetric;
      break;
    case CoordinateMode::kTfHalfPixelForNn:
      axis.coordinates = kernels::ResizeCoordinates::kTfHalfPixelForNn;
      break;
    case CoordinateMode::kTfCropAndResize:
      axis.coordinates = kernels::ResizeCoordinates::kTfCropAndResize;
      break;
  }
  axis.in_length = in, axis.out_length = out, axis.scale = scale;
  axis.cubic_coefficient = attrs.cubic_coeff_a;
  axis.exclude_outside = attrs.exclude_outside;
  return axis;
}

// Tables of both axes, kept by the step.
struct Tables {
  std::vector<int32_t> rows, columns;
  std::vector<float> row_weights, column_weights;
};

// What is resized: dense memory as images of two axes, with whatever lies outside them merged.
struct ResizeShape {
  int64_t images = 1, channels = 1;
  int64_t in[2] = {1, 1}, out[2] = {1, 1};
  float scale[2] = {1, 1};
};

absl::StatusOr<std::vector<float>> ScalesOf(const Lowering& lowering, const Node& node, const Extents& in,
                                            const Extents& out) {
  std::vector<float> scales;
  if (node.has_input(1)) {
    const Tensor* given = lowering.Constant(node.inputs[1]);
    if (given == nullptr) return lowering.Unimplemented(node, "the scales must be constant");
    if (given->type() != ElementType::kFloat32 || given->element_count() != static_cast<int64_t>(in.size())) {
      return lowering.Invalid(node, "needs one float32 scale for every dimension");
    }
    scales.assign(given->data<float>().begin(), given->data<float>().end());
    return scales;
  }
  for (size_t i = 0; i < in.size(); ++i) scales.push_back(static_cast<float>(out[i]) / static_cast<float>(in[i]));
  return scales;
}

absl::StatusOr<ResizeShape> ResizeShapeOf(const Lowering& lowering, const Node& node, const Placement& in,
                                    const Extents& out_dims) {
  auto scales = ScalesOf(lowering, node, in.dims, out_dims);
  if (!scales.ok()) return scales.status();
  std::vector<size_t> resized;  // physical positions
  const std::vector<int> order = PhysicalOrder(in.dims.size(), in.layout);
  for (size_t p = 0; p < order.size(); ++p) {
    const auto d = static_cast<size_t>(order[p]);
    if (in.dims[d] != out_dims[d] || (*scales)[d] != 1.0f) resized.push_back(p);
  }
  if (resized.size() > 2 || (resized.size() == 2 && resized[1] != resized[0] + 1)) {
    return lowering.Unimplemented(node, "resizes one or two neighbouring dimensions, more are changed");
  }
  if (resized.empty()) resized.push_back(order.size() - 1);
  ResizeShape shape;
  for (size_t p = 0; p < order.size(); ++p) {
    const auto d = static_cast<size_t>(order[p]);
    if (p < resized.front()) shape.images *= in.dims[d];
    if (p > resized.back()) shape.channels *= in.dims[d];
  }
  for (size_t i = 0; i < resized.size(); ++i) {
    const auto d = static_cast<size_t>(order[resized[i]]);
    const size_t axis = i + 2 - resized.size();
    shape.in[axis] = in.dims[d], shape.out[axis] = out_dims[d], shape.scale[axis] = (*scales)[d];
  }
  return shape;
}

absl::Status BuildTables(const Lowering& lowering, const Node& node, const ResizeShape& shape, Tables& tables) {
  const auto& attrs = node.attr<ResizeAttrs>();
  const auto taps = static_cast<size_t>(kernels::ResizeTaps(static_cast<kernels::ResizeMode>(attrs.mode)));
  tables.rows.resize(static_cast<size_t>(shape.out[0]) * taps);
  tables.row_weights.resize(tables.rows.size());
  tables.columns.resize(static_cast<size_t>(shape.out[1]) * taps);
  tables.column_weights.resize(tables.columns.size());
  const auto rows = AxisOf(attrs, shape.in[0], shape.out[0], shape.scale[0]);
  const auto columns = AxisOf(attrs, shape.in[1], shape.out[1], shape.scale[1]);
  if (!kernels::BuildResizeTable(rows, tables.rows.data(), tables.row_weights.data()) ||
      !kernels::BuildResizeTable(columns, tables.columns.data(), tables.column_weights.data())) {
    return lowering.Invalid(node, "a scale is not a positive finite number");
  }
  return absl::OkStatus();
}

std::array<std::byte, 8> Extrapolation(const Lowering& lowering, const Node& node) {
  std::array<std::byte, 8> element{};
  const float value = node.attr<ResizeAttrs>().extrapolation_value;
  if (lowering.Type(node.inputs[0]) == ElementType::kInt8) {
    element[0] = static_cast<std::byte>(QuantizeToByte(value, lowering.Quant(node.inputs[0])));
  } else if (lowering.Type(node.inputs[0]) == ElementType::kFloat32) {
    std::memcpy(element.data(), &value, sizeof(value));
  }
  return element;
}

}  // namespace

namespace steps {

absl::Status Resize(Lowering& lowering, const Node& node) {
  const ValueId input = node.inputs[0], result = node.outputs[0];
  const auto& attrs = node.attr<ResizeAttrs>();
  const bool nearest = attrs.mode == ResizeMode::kNearest;
  if (!nearest) QLITE_RETURN_IF_ERROR(lowering.RequireFloat(node, input));
  if (lowering.Type(input) == ElementType::kInt8) QLITE_RETURN_IF_ERROR(lowering.RequireQuantized(node, input));
  QLITE_RETURN_IF_ERROR(CheckMovement(lowering, node, input, result));
  const Extents& out_dims = lowering.Dims(result);
  const Layout layout = out_dims.size() == 4 || out_dims.size() == 3 ? Layout::kChannelsLast : Layout::kRowMajor;
  const Placement in = lowering.Read(input, layout);
  const Placement out = lowering.Write(result, layout);
  if (in.elements() == 0 || out.elements() == 0) return absl::OkStatus();
  auto shape = ResizeShapeOf(lowering, node, in, out_dims);
  if (!shape.ok()) return shape.status();
  auto tables = std::make_shared<Tables>();
  QLITE_RETURN_IF_ERROR(BuildTables(lowering, node, *shape, *tables));

  kernels::Resize2d resize;
  resize.channels = shape->channels;
  resize.in_height = shape->in[0], resize.in_width = shape->in[1];
  resize.out_height = shape->out[0], resize.out_width = shape->out[1];
  const int taps = kernels::ResizeTaps(static_cast<kernels::ResizeMode>(attrs.mode));
  resize.rows = {taps, tables->rows.data(), tables->row_weights.data()};
  resize.columns = {taps, tables->columns.data(), tables->column_weights.data()};
  resize.extrapolation_value = attrs.extrapolation_value;
  const int64_t rows = shape->images * shape->out[0];
  const double cost = static_cast<double>(out.elements() * taps * taps) * 0.15;
  const auto size = static_cast<int64_t>(ElementSize(in.type));
  const auto run = kernels::ResizeF32(lowering.isa()).interpolate;
  lowering.Emit({in.at, out.at},
                [=, kept = std::shared_ptr<const Tables>(tables), outside = Extrapolation(lowering, node), from = in.at,
                 to = out.at](const Frame& frame) {
                  frame.ParallelFor(rows, cost, [&](int64_t begin, int64_t end, int) {
                    if (nearest) {
                      kernels::ResizeNearestRows(resize, size, frame.In<std::byte>(from), frame.Out<std::byte>(to),
                                                 outside.data(), begin, end);
                    } else {
                      run(resize, frame.In<float>(from), frame.Out<float>(to), begin, end);
                    }
                  });
                  return absl::OkStatus();
                });
  FinishMovement(lowering, input, result, out);
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
