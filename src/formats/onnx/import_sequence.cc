// Sequences of tensors. They exist while the file is read alone: a list of values, which the operators here make,
// change and turn back into tensors.
#include <algorithm>
#include <limits>
#include <utility>

#include "core/checked_math.h"
#include "core/shape_util.h"
#include "core/str_cat.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

// Input `i` as a position among `count` elements; negative ones count from the end, the greatest is `last`. `fallback`
// where it is absent.
int64_t ReadPosition(NodeReader& node, int i, int64_t count, int64_t last, int64_t fallback) {
  const int64_t position = node.ConstantInt(i, "positions in a sequence").value_or(fallback);
  const int64_t from_start = position < 0 ? position + count : position;
  if (node.ok() && (from_start < 0 || from_start > last)) {
    node.Invalid(StrCat("position ", position, " of a sequence with ", count, " elements"));
  }
  return node.ok() ? from_start : 0;
}

// The extents along `axis` of the parts that SplitToSequence makes.
std::vector<int64_t> PartSizes(NodeReader& node, int64_t extent) {
  const std::vector<int64_t> given = node.ConstantInts(1, "the sizes of the parts").value_or(std::vector<int64_t>{1});
  if (!node.ok()) return {};
  const bool is_list = node.HasInput(1) && node.Rank(1) == std::optional<int64_t>(1);
  if (is_list) return given;
  if (given.size() != 1 || given[0] < 1) {
    node.Invalid("the size of the parts must be one positive integer");
    return {};
  }
  std::vector<int64_t> sizes;
  if (absl::Status status = node.state().ChargeSequence(static_cast<size_t>(extent / given[0])); !status.ok()) {
    node.Fail(status);
    return {};
  }
  for (int64_t left = extent; left > 0; left -= sizes.back()) sizes.push_back(std::min(given[0], left));
  return sizes;
}

// The extent of input 0 along `axis`, which becomes a position.
int64_t ReadExtent(NodeReader& node, int64_t& axis) {
  const ValueId data = node.Input(0);
  if (!node.ok()) return 0;
  const absl::StatusOr<Shape> shape = node.state().KnownShape(data);
  if (!shape.ok()) {
    node.Fail(shape.status());
    return 0;
  }
  const absl::StatusOr<int64_t> position =
      shape->has_rank() ? NormalizeAxis(axis, shape->rank()) : absl::StatusOr<int64_t>(axis);
  if (!position.ok()) {
    node.Fail(position.status());
    return 0;
  }
  axis = *position;
  if (!shape->has_rank() || !shape->dim(axis).known()) {
    node.Unsupported(
        StrCat("splitting an extent that is not known (", shape->ToString(), "; fixed input shapes may help) is"));
    return 0;
  }
  return shape->dim(axis).value;
}

// One Split node; its values are called "<output>/<index>".
std::vector<ValueId> AddSplit(NodeReader& node, int64_t axis, const std::vector<int64_t>& sizes) {
  const ValueId data = node.Input(0);
  if (!node.ok() || sizes.empty()) return {};
  ImportState& state = node.state();
  if (absl::Status status = state.ChargeSequence(sizes.size()); !status.ok()) {
    node.Fail(status);
    return {};
  }
  const std::string name = state.Label(node.OutputName(0));
  std::vector<ValueId> parts;
  for (size_t i = 0; i < sizes.size(); ++i) parts.push_back(state.graph.AddValue(StrCat(name, "/", i)));
  SplitAttrs attrs;
  attrs.axis = axis;
  attrs.sizes = sizes;
  const absl::StatusOr<NodeId> split = state.graph.AddNode(name, OpType::kSplit, attrs, {data}, parts);
  if (!split.ok()) node.Fail(split.status());
  return parts;
}

}  // namespace

void ImportSequenceEmpty(NodeReader& node) {
  node.Ignore("dtype");  // the elements that are inserted have it
  node.BindSequence({});
}

void ImportSequenceConstruct(NodeReader& node) { node.BindSequence(node.Inputs()); }

void ImportSequenceInsert(NodeReader& node) {
  std::vector<ValueId> elements = node.Sequence(0);
  const int64_t count = static_cast<int64_t>(elements.size());
  const int64_t position = ReadPosition(node, 2, count, count, count);  // or behind the last one
  const ValueId element = node.Input(1);
  if (!node.ok()) return;
  if (!element.valid()) return node.Invalid("the element to insert is missing");
  elements.insert(elements.begin() + position, element);
  node.BindSequence(std::move(elements));
}

void ImportSequenceErase(NodeReader& node) {
  std::vector<ValueId> elements = node.Sequence(0);
  const int64_t count = static_cast<int64_t>(elements.size());
  const int64_t position = ReadPosition(node, 1, count, count - 1, count - 1);
  if (!node.ok()) return;
  elements.erase(elements.begin() + position);
  node.BindSequence(std::move(elements));
}

void ImportSequenceAt(NodeReader& node) {
  const std::vector<ValueId>& elements = node.Sequence(0);
  const int64_t count = static_cast<int64_t>(elements.size());
  const int64_t position = ReadPosition(node, 1, count, count - 1, count);
  if (!node.ok()) return;
  Binding element;
  element.id = elements[static_cast<size_t>(position)];
  node.BindOutput(0, std::move(element));
}

void ImportSequenceLength(NodeReader& node) {
  node.BindConstant(Tensor::Of<int64_t>({}, {static_cast<int64_t>(node.Sequence(0).size())}));
}

void ImportSplitToSequence(NodeReader& node) {
  int64_t axis = node.Int("axis", 0);
  const bool keep = node.Flag("keepdims", true) || node.HasInput(1);
  const int64_t extent = ReadExtent(node, axis);
  std::vector<ValueId> parts = AddSplit(node, axis, PartSizes(node, extent));
  if (!keep) {
    for (ValueId& part : parts) part = node.Add(OpType::kSqueeze, AxesAttrs{{axis}}, {part}, "squeezed");
  }
  node.BindSequence(std::move(parts));
}

void ImportConcatFromSequence(NodeReader& node) {
  if (!node.HasAttribute("axis")) node.Invalid("attribute 'axis' is missing");
  const int64_t axis = node.Int("axis", 0);
  std::vector<ValueId> elements = node.Sequence(0);
  if (node.ok() && elements.empty()) return node.Unsupported("the concatenation of an empty sequence is");
  if (node.Flag("new_axis", false)) {
    if (absl::Status status = node.state().ChargeSequence(elements.size()); !status.ok()) return node.Fail(status);
    for (ValueId& element : elements) element = node.Add(OpType::kUnsqueeze, AxesAttrs{{axis}}, {element}, "element");
  }
  node.Emit(OpType::kConcat, AxisAttrs{axis}, std::move(elements));
}

}  // namespace qlite::onnx
