#include <algorithm>

#include "core/str_cat.h"
#include "formats/onnx/importers.h"
#include "formats/onnx/repeat_interleave.h"

namespace qlite::onnx {
namespace {

// An operator that moves the elements of its first input and takes its other inputs as they are.
void EmitMove(NodeReader& node, OpType op, OpAttrs attrs) {
  bool shifted = false;
  std::vector<ValueId> inputs = {node.InputAsHeld(0, shifted)};
  for (int i = 1; i < node.input_count(); ++i) inputs.push_back(node.Input(i));
  node.EmitMovement(op, std::move(attrs), std::move(inputs), shifted);
}

// As EmitMove with these inputs behind the first.
void EmitMove(NodeReader& node, OpType op, OpAttrs attrs, std::vector<ValueId> others) {
  bool shifted = false;
  std::vector<ValueId> inputs = {node.InputAsHeld(0, shifted)};
  inputs.insert(inputs.end(), others.begin(), others.end());
  node.EmitMovement(op, std::move(attrs), std::move(inputs), shifted);
}

ValueId IntsConstant(NodeReader& node, std::vector<int64_t> values, std::string_view suffix) {
  const int64_t count = static_cast<int64_t>(values.size());
  return node.AddConstant(Tensor::Of<int64_t>({count}, std::move(values)), suffix);
}

// Axes as an attribute before opset 13, as a constant input since.
std::vector<int64_t> ReadAxes(NodeReader& node) {
  if (node.opset() < 13) return node.Ints("axes");
  return node.ConstantInts(1, "axes").value_or(std::vector<int64_t>());
}

void CheckAxisGiven(NodeReader& node) {
  if (!node.HasAttribute("axis")) node.Invalid("attribute 'axis' is missing");
}

int64_t ReadBlockSize(NodeReader& node) {
  if (!node.HasAttribute("blocksize")) node.Invalid("attribute 'blocksize' is missing");
  return node.Int("blocksize", 1);
}

// The element that a Pad of quantized values fills in, as an int8; absent where it is the zero point, which stands for
// 0 and is what a quantized Pad fills in by default. Without a value input it is the integer 0.
ValueId IntegerFill(NodeReader& node, const QuantParams& params, bool shifted) {
  int32_t q = shifted ? -128 : 0;
  if (const Tensor* fill = node.Constant(2)) {
    const ElementType expected = shifted ? ElementType::kUInt8 : ElementType::kInt8;
    if (fill->type() != expected || fill->element_count() != 1) {
      node.Invalid(StrCat("the value to fill in must be one ", ElementTypeName(expected)));
      return {};
    }
    q = shifted ? fill->data<uint8_t>()[0] - 128 : fill->data<int8_t>()[0];
  }
  if (params.zero_points[0] == q) return {};
  return node.AddConstant(Tensor::Of<int8_t>({}, {static_cast<int8_t>(q)}), "fill");
}

// Pad of quantized values in integers; false where the node is something else.
bool PadIntegers(NodeReader& node, const PadAttrs& attrs) {
  bool shifted = false;
  const ValueId data = node.InputAsHeld(0, shifted);
  if (!data.valid()) return false;
  const std::optional<QuantParams> quant = node.state().graph.value(data).quant;
  if (!quant.has_value() || quant->per_axis() || (node.HasInput(2) && node.Constant(2) == nullptr)) return false;
  const bool fills = attrs.mode == PadMode::kConstant;
  const ValueId fill = fills ? IntegerFill(node, *quant, shifted) : ValueId();
  node.EmitMovement(OpType::kPad, attrs, {data, node.Input(1), fill, node.Input(3)}, shifted);
  return true;
}

}  // namespace

void ImportConcat(NodeReader& node) {
  CheckAxisGiven(node);
  const AxisAttrs attrs{node.Int("axis", 0)};
  bool all_shifted = node.input_count() > 0;
  std::vector<ValueId> held;
  for (int i = 0; i < node.input_count(); ++i) {
    bool shifted = false;
    held.push_back(node.InputAsHeld(i, shifted));
    all_shifted = all_shifted && shifted;
  }
  if (!all_shifted) return node.Emit(OpType::kConcat, attrs, node.Inputs());
  node.EmitMovement(OpType::kConcat, attrs, std::move(held), true);
}

void ImportSplit(NodeReader& node) {
  SplitAttrs attrs;
  attrs.axis = node.Int("axis", 0);
  if (node.opset() < 13) {
    attrs.sizes = node.Ints("split");
  } else {
    attrs.sizes = node.ConstantInts(1, "split sizes").value_or(std::vector<int64_t>());
  }
  if (node.opset() >= 18 && node.HasAttribute("num_outputs") && node.Int("num_outputs", 0) != node.output_count()) {
    node.Invalid(StrCat("num_outputs=", node.Int("num_outputs", 0), ", but it has ", node.output_count()));
  }
  EmitMove(node, OpType::kSplit, attrs, {});
}

void ImportSlice(NodeReader& node) {
  if (node.opset() >= 10) return EmitMove(node, OpType::kSlice, NoAttrs{});
  const std::vector<int64_t> starts = node.Ints("starts"), ends = node.Ints("ends");
  std::vector<int64_t> axes = node.Ints("axes");
  if (axes.empty()) {
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  EmitMove(node, OpType::kSlice, NoAttrs{},
           {IntsConstant(node, starts, "starts"), IntsConstant(node, ends, "ends"), IntsConstant(node, axes, "axes")});
}

void ImportPad(NodeReader& node) {
  PadAttrs attrs;
  attrs.mode = node.Choice("mode", PadMode::kConstant);
  if (node.opset() >= 11 && PadIntegers(node, attrs)) return;
  if (node.opset() >= 11) return node.Emit(OpType::kPad, attrs, node.Inputs());
  const ValueId pads = IntsConstant(node, node.Ints("pads"), "pads");
  const float fill = node.Float("value", 0);
  const ValueId value = fill != 0 ? node.AddConstant(Tensor::Of<float>({}, {fill}), "value") : ValueId();
  node.Emit(OpType::kPad, attrs, {node.Input(0), pads, value});
}

void ImportReshape(NodeReader& node) {
  ReshapeAttrs attrs;
  attrs.allow_zero = node.opset() >= 14 && node.Flag("allowzero", false);
  if (!attrs.allow_zero && ImportRepeatInterleave(node)) return;
  EmitMove(node, OpType::kReshape, attrs);
}

void ImportFlatten(NodeReader& node) { EmitMove(node, OpType::kFlatten, AxisAttrs{node.Int("axis", 1)}); }

void ImportTranspose(NodeReader& node) { EmitMove(node, OpType::kTranspose, TransposeAttrs{node.Ints("perm")}); }

void ImportSqueeze(NodeReader& node) { EmitMove(node, OpType::kSqueeze, AxesAttrs{ReadAxes(node)}, {}); }

void ImportUnsqueeze(NodeReader& node) {
  AxesAttrs attrs{ReadAxes(node)};
  if (node.ok() && attrs.axes.empty()) node.Invalid("the axes to insert are missing");
  EmitMove(node, OpType::kUnsqueeze, std::move(attrs), {});
}

void ImportExpand(NodeReader& node) { EmitMove(node, OpType::kExpand, NoAttrs{}); }

void ImportGather(NodeReader& node) { EmitMove(node, OpType::kGather, AxisAttrs{node.Int("axis", 0)}); }

void ImportShape(NodeReader& node) {
  ShapeAttrs attrs;
  if (node.opset() >= 15) {
    attrs.start = node.Int("start", attrs.start);
    attrs.end = node.Int("end", attrs.end);
  }
  bool shifted = false;  // a shape is that of either form
  node.Emit(OpType::kShape, attrs, {node.InputAsHeld(0, shifted)});
  if (node.ok()) node.OutputBinding(0).type = ElementType::kInt64;
}

void ImportScatterND(NodeReader& node) {
  if (const std::string reduction = node.String("reduction", "none"); reduction != "none") {
    node.Unsupported("reduction='" + reduction + "' is");
  }
  node.Emit(OpType::kScatterND, NoAttrs{}, node.Inputs());
}

void ImportIdentity(NodeReader& node) {
  // Exporters share a constant between names this way; readers that need a constant must still see one.
  if (const Tensor* constant = node.Constant(0)) return node.BindConstant(*constant);
  if (node.HasInput(0) && node.InputBinding(0).sequence != nullptr) return node.BindSequence(node.Sequence(0));
  EmitMove(node, OpType::kIdentity, NoAttrs{});
}

void ImportDropout(NodeReader& node) {
  node.Ignore("ratio");  // all three are of training
  node.Ignore("seed");
  node.Ignore("is_test");
  if (node.opset() >= 12 && node.HasInput(2)) {
    const Tensor* training = node.Constant(2);
    const bool off = training != nullptr && training->type() == ElementType::kBool && training->element_count() == 1 &&
                     !training->data<bool>()[0];
    const Tensor* ratio = node.Constant(1);  // of what is dropped
    const bool keeps_all = ratio != nullptr && ratio->type() == ElementType::kFloat32 && ratio->element_count() == 1 &&
                           ratio->data<float>()[0] == 0.0f;
    if (!off && !keeps_all) node.Unsupported("training_mode other than a constant false is");
  }
  node.KeepOutputs(1, "the mask");
  EmitMove(node, OpType::kIdentity, NoAttrs{}, {});
}

void ImportDepthToSpace(NodeReader& node) {
  DepthToSpaceAttrs attrs;
  attrs.block_size = ReadBlockSize(node);
  if (node.opset() >= 11) attrs.mode = node.Choice("mode", DepthToSpaceMode::kDcr);
  EmitMove(node, OpType::kDepthToSpace, attrs);
}

void ImportSpaceToDepth(NodeReader& node) {
  EmitMove(node, OpType::kSpaceToDepth, SpaceToDepthAttrs{ReadBlockSize(node)});
}

}  // namespace qlite::onnx
