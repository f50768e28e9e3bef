#include <algorithm>

#include "core/str_cat.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

// Upsample, and Resize at opset 10.
void EmitAsymmetric(NodeReader& node, ValueId scales) {
  ResizeAttrs attrs;
  attrs.mode = node.Choice("mode", ResizeMode::kNearest);
  attrs.coordinates = CoordinateMode::kAsymmetric;
  attrs.nearest = NearestMode::kFloor;
  node.Emit(OpType::kResize, attrs, {node.Input(0), scales, ValueId()});
}

void ReadCoordinates(NodeReader& node, ResizeAttrs& attrs) {
  attrs.coordinates = node.Choice("coordinate_transformation_mode", CoordinateMode::kHalfPixel);
  attrs.nearest = node.Choice("nearest_mode", NearestMode::kRoundPreferFloor);
}

// The region must be the whole image: one 0 and then one 1 for every dimension.
void CheckRegion(NodeReader& node) {
  const Tensor* region = node.Constant(1);
  bool whole = region != nullptr && region->type() == ElementType::kFloat32 && region->element_count() % 2 == 0;
  if (whole) {
    const auto bounds = region->data<float>();
    const size_t half = bounds.size() / 2;
    for (size_t i = 0; i < bounds.size(); ++i) whole = whole && bounds[i] == (i < half ? 0.0f : 1.0f);
  }
  if (!whole) node.Unsupported("coordinate_transformation_mode='tf_crop_and_resize' with a region of interest is");
}

// An input that is there and not the empty tensor that stands for an absent one.
bool IsGiven(NodeReader& node, int i) {
  const Tensor* constant = node.Constant(i);
  return node.HasInput(i) && (constant == nullptr || constant->element_count() > 0);
}

// `axes` as positions, checked against the rank.
std::vector<size_t> ReadAxes(NodeReader& node, int64_t rank) {
  std::vector<size_t> axes;
  for (const int64_t axis : node.Ints("axes")) {
    const int64_t position = axis < 0 ? axis + rank : axis;
    if (position < 0 || position >= rank) node.Invalid(StrCat("axis ", axis, " of an input of rank ", rank));
    axes.push_back(static_cast<size_t>(position));
  }
  return axes;
}

// Scales of the listed axes as scales of all.
ValueId WidenScales(NodeReader& node, const std::vector<size_t>& axes, int64_t rank) {
  const Tensor* scales = node.Constant(2);
  if (scales == nullptr) {
    node.Unsupported("attribute 'axes' with scales that the model computes is");
    return {};
  }
  if (scales->type() != ElementType::kFloat32 || scales->element_count() != static_cast<int64_t>(axes.size())) {
    node.Invalid("scales must be float32, one for each of the axes");
    return {};
  }
  std::vector<float> all(static_cast<size_t>(rank), 1.0f);
  for (size_t i = 0; i < axes.size(); ++i) all[axes[i]] = scales->data<float>()[i];
  return node.AddConstant(Tensor::Of<float>({rank}, std::move(all)), "scales");
}

// Sizes of the listed axes with the input's own extents for the others.
ValueId WidenSizes(NodeReader& node, const std::vector<size_t>& axes, int64_t rank) {
  std::vector<ValueId> parts;
  for (int64_t d = 0; d < rank; ++d) {
    const auto found = std::find(axes.begin(), axes.end(), static_cast<size_t>(d));
    if (found == axes.end()) {
      const ShapeAttrs one{d, d + 1};
      parts.push_back(node.Add(OpType::kShape, one, {node.Input(0)}, StrCat("extent_", d)));
      continue;
    }
    const int64_t i = found - axes.begin();
    const ValueId from = node.AddConstant(Tensor::Of<int64_t>({1}, {i}), StrCat("from_", d));
    const ValueId to = node.AddConstant(Tensor::Of<int64_t>({1}, {i + 1}), StrCat("to_", d));
    parts.push_back(node.Add(OpType::kSlice, NoAttrs{}, {node.Input(3), from, to}, StrCat("size_", d)));
  }
  return node.Add(OpType::kConcat, AxisAttrs{0}, std::move(parts), "sizes");
}

void RefuseUnless(NodeReader& node, std::string_view attribute, bool fine) {
  if (!fine) node.Unsupported(StrCat("attribute '", attribute, "' with this value is"));
}

}  // namespace

void ImportUpsample(NodeReader& node) {
  if (node.opset() >= 10) return node.Invalid("Upsample ended with opset 9");
  if (node.opset() >= 9) return EmitAsymmetric(node, node.Input(1));
  std::vector<float> scales = node.Floats("scales");
  const int64_t count = static_cast<int64_t>(scales.size());
  EmitAsymmetric(node, node.AddConstant(Tensor::Of<float>({count}, std::move(scales)), "scales"));
}

void ImportResize(NodeReader& node) {
  if (node.opset() < 11) return EmitAsymmetric(node, node.Input(1));
  ResizeAttrs attrs;
  attrs.mode = node.Choice("mode", ResizeMode::kNearest);
  ReadCoordinates(node, attrs);
  attrs.cubic_coeff_a = node.Float("cubic_coeff_a", -0.75f);
  attrs.exclude_outside = node.Flag("exclude_outside", false);
  attrs.extrapolation_value = node.Float("extrapolation_value", 0);
  RefuseUnless(node, "antialias", node.Int("antialias", 0) == 0);
  RefuseUnless(node, "keep_aspect_ratio_policy", node.String("keep_aspect_ratio_policy", "stretch") == "stretch");
  if (attrs.coordinates == CoordinateMode::kTfCropAndResize) CheckRegion(node);

  const bool has_scales = IsGiven(node, 2), has_sizes = IsGiven(node, 3);
  if (node.ok() && has_scales == has_sizes) node.Invalid("exactly one of scales and sizes must be given");
  ValueId scales = has_scales ? node.Input(2) : ValueId();
  ValueId sizes = has_sizes ? node.Input(3) : ValueId();
  if (node.ok() && !node.Ints("axes").empty()) {
    const std::optional<int64_t> rank = node.Rank(0);
    if (!rank.has_value()) return node.Unsupported("attribute 'axes' on an input of unknown rank is");
    const std::vector<size_t> axes = ReadAxes(node, *rank);
    if (has_scales) scales = WidenScales(node, axes, *rank);
    if (has_sizes) sizes = WidenSizes(node, axes, *rank);
  }
  node.Emit(OpType::kResize, attrs, {node.Input(0), scales, sizes});
}

}  // namespace qlite::onnx
