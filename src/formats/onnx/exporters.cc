#include "formats/onnx/exporters.h"

#include <algorithm>
#include <string_view>

#include "core/enum_names.h"
#include "core/infinity.h"
#include "formats/onnx/onnx_tensor.h"

namespace qlite::onnx {
namespace {

constexpr int64_t kLowestOpset = 13;
// --- opsets

int64_t Lowest(const Graph&, const Node&) { return kLowestOpset; }

int64_t NeedsReduce(const Graph&, const Node& node) {
  return node.attr<ReduceAttrs>().no_op_with_empty_axes && node.op != OpType::kReduceSum ? 18 : kLowestOpset;
}

// Before opset 18, a Split without sizes makes equal parts.
int64_t NeedsSplit(const Graph& graph, const Node& node) {
  const SplitAttrs& attrs = node.attr<SplitAttrs>();
  if (!attrs.sizes.empty()) return kLowestOpset;
  const Shape& shape = graph.value(node.inputs[0]).shape;
  const int64_t axis = attrs.axis < 0 ? attrs.axis + shape.rank() : attrs.axis;
  const bool known = shape.has_rank() && axis >= 0 && axis < shape.rank() && shape.dim(axis).known();
  const int64_t parts = static_cast<int64_t>(node.outputs.size());
  return known && shape.dim(axis).value % parts == 0 ? kLowestOpset : 18;
}

int64_t NeedsPad(const Graph&, const Node& node) {
  if (node.attr<PadAttrs>().mode == PadMode::kWrap) return 19;
  return node.has_input(3) ? 18 : kLowestOpset;
}

int64_t NeedsReshape(const Graph&, const Node& node) {
  return node.attr<ReshapeAttrs>().allow_zero ? 14 : kLowestOpset;
}

int64_t NeedsShape(const Graph&, const Node& node) {
  return node.attr<ShapeAttrs>() == ShapeAttrs{} ? kLowestOpset : 15;
}

int64_t NeedsHardSwish(const Graph&, const Node&) { return 14; }

int64_t NeedsAveragePool(const Graph&, const Node& node) {
  const auto& dilations = node.attr<PoolAttrs>().dilations;
  return std::all_of(dilations.begin(), dilations.end(), [](int64_t d) { return d == 1; }) ? kLowestOpset : 19;
}

int64_t NeedsResize(const Graph&, const Node& node) {
  return node.attr<ResizeAttrs>().coordinates == CoordinateMode::kHalfPixelSymmetric ? 19 : kLowestOpset;
}

// --- attributes

void WriteNothing(NodeWriter&) {}

void WriteAutoPad(NodeWriter& writer, AutoPad auto_pad) {
  if (auto_pad != AutoPad::kNotSet) writer.String("auto_pad", WordOf(auto_pad));
}

// A list of defaults need not be written.
void WriteUnlessAll(NodeWriter& writer, std::string_view name, const std::vector<int64_t>& values, int64_t fallback) {
  if (std::any_of(values.begin(), values.end(), [&](int64_t v) { return v != fallback; })) writer.Ints(name, values);
}

template <class Attrs>
void WriteWindow(NodeWriter& writer, const Attrs& attrs) {
  WriteAutoPad(writer, attrs.auto_pad);
  WriteUnlessAll(writer, "dilations", attrs.dilations, 1);
  writer.Ints("kernel_shape", attrs.kernel_shape);
  if (attrs.auto_pad == AutoPad::kNotSet) WriteUnlessAll(writer, "pads", attrs.pads, 0);
  WriteUnlessAll(writer, "strides", attrs.strides, 1);
}

void WriteConv(NodeWriter& writer) {
  const auto& attrs = writer.attr<ConvAttrs>();
  WriteWindow(writer, attrs);
  if (attrs.group != 1) writer.Int("group", attrs.group);
}

void WriteConvTranspose(NodeWriter& writer) {
  const auto& attrs = writer.attr<ConvTransposeAttrs>();
  WriteWindow(writer, attrs);
  if (attrs.group != 1) writer.Int("group", attrs.group);
  writer.Ints("output_padding", attrs.output_padding);
  writer.Ints("output_shape", attrs.output_shape);
}

void WriteGemm(NodeWriter& writer) {
  const auto& attrs = writer.attr<GemmAttrs>();
  if (attrs.alpha != 1) writer.Float("alpha", attrs.alpha);
  if (attrs.beta != 1) writer.Float("beta", attrs.beta);
  if (attrs.trans_a) writer.Int("transA", 1);
  if (attrs.trans_b) writer.Int("transB", 1);
}

void WriteBatchNorm(NodeWriter& writer) { writer.Float("epsilon", writer.attr<BatchNormAttrs>().epsilon); }

void WriteInstanceNorm(NodeWriter& writer) { writer.Float("epsilon", writer.attr<InstanceNormAttrs>().epsilon); }

void WriteLrn(NodeWriter& writer) {
  const auto& attrs = writer.attr<LrnAttrs>();
  writer.Float("alpha", attrs.alpha);
  writer.Float("beta", attrs.beta);
  writer.Float("bias", attrs.bias);
  writer.Int("size", attrs.size);
}

void WriteAlpha(NodeWriter& writer) { writer.Float("alpha", writer.attr<AlphaAttrs>().alpha); }

void WriteHardSigmoid(NodeWriter& writer) {
  writer.Float("alpha", writer.attr<HardSigmoidAttrs>().alpha);
  writer.Float("beta", writer.attr<HardSigmoidAttrs>().beta);
}

// The bound in the element type that Clip works on.
Tensor Bound(ElementType type, float value) {
  switch (type) {
    case ElementType::kInt32:
      return Tensor::Of<int32_t>({}, {static_cast<int32_t>(value)});
    case ElementType::kInt64:
      return Tensor::Of<int64_t>({}, {static_cast<int64_t>(value)});
    default:
      return Tensor::Of<float>({}, {value});
  }
}

void WriteClip(NodeWriter& writer) {
  const FusedClamp& range = writer.attr<ClipAttrs>().range;
  const ElementType type = writer.input_value(0).type;
  if (range.min != -kInfinity) writer.ConstantInput(1, "min", Bound(type, range.min));
  if (range.max != kInfinity) writer.ConstantInput(2, "max", Bound(type, range.max));
}

void WriteAxis(NodeWriter& writer) { writer.Int("axis", writer.attr<AxisAttrs>().axis); }

void WriteAxes(NodeWriter& writer) {
  const auto& axes = writer.attr<AxesAttrs>().axes;
  if (!axes.empty()) writer.IntsInput(1, "axes", axes);
}

void WriteSplit(NodeWriter& writer) {
  const auto& attrs = writer.attr<SplitAttrs>();
  writer.Int("axis", attrs.axis);
  if (!attrs.sizes.empty()) {
    writer.IntsInput(1, "sizes", attrs.sizes);
  } else if (writer.opset() >= 18) {
    writer.Int("num_outputs", static_cast<int64_t>(writer.node().outputs.size()));
  }
}

void WritePad(NodeWriter& writer) {
  writer.String("mode", WordOf(writer.attr<PadAttrs>().mode));
  // What a quantized Pad fills in is written as the number it stands for.
  const Value& data = writer.input_value(0);
  if (!writer.node().has_input(2) || !data.quant.has_value()) return;
  const Value& fill = writer.input_value(2);
  if (fill.quant.has_value() || fill.type != ElementType::kInt8 || !fill.is_constant()) return;
  const int32_t q = fill.constant->data<int8_t>()[0];
  const float real = static_cast<float>(q - data.quant->zero_points[0]) * data.quant->scales[0];
  writer.ConstantInput(2, "value", Tensor::Of<float>({}, {real}));
}

void WriteReshape(NodeWriter& writer) {
  if (writer.attr<ReshapeAttrs>().allow_zero) writer.Int("allowzero", 1);
}

void WriteTranspose(NodeWriter& writer) { writer.Ints("perm", writer.attr<TransposeAttrs>().perm); }

void WriteShape(NodeWriter& writer) {
  const auto& attrs = writer.attr<ShapeAttrs>();
  if (attrs.start != 0) writer.Int("start", attrs.start);
  if (attrs.end != ShapeAttrs{}.end) writer.Int("end", attrs.end);
}

void WriteConstantOfShape(NodeWriter& writer) {
  const auto& attrs = writer.attr<FillAttrs>();
  const int64_t value = attrs.int_value;
  Tensor tensor = Tensor::Of<float>({1}, {attrs.float_value});
  switch (attrs.type) {
    case ElementType::kInt8:
      tensor = Tensor::Of<int8_t>({1}, {static_cast<int8_t>(value)});
      break;
    case ElementType::kUInt8:
      tensor = Tensor::Of<uint8_t>({1}, {static_cast<uint8_t>(value)});
      break;
    case ElementType::kInt32:
      tensor = Tensor::Of<int32_t>({1}, {static_cast<int32_t>(value)});
      break;
    case ElementType::kInt64:
      tensor = Tensor::Of<int64_t>({1}, {value});
      break;
    case ElementType::kBool: {
      const uint8_t byte = value != 0 ? 1 : 0;
      tensor = *Tensor::Create(ElementType::kBool, {1}, Buffer::Copy(&byte, 1));
      break;
    }
    default:
      break;
  }
  writer.TensorAttribute("value", tensor);
}

void WriteCast(NodeWriter& writer) { writer.Int("to", DataTypeToOnnx(writer.attr<CastAttrs>().to)); }

void WritePool(NodeWriter& writer) {
  const auto& attrs = writer.attr<PoolAttrs>();
  WriteWindow(writer, attrs);
  if (attrs.ceil_mode) writer.Int("ceil_mode", 1);
  if (attrs.count_include_pad && writer.node().op == OpType::kAveragePool) writer.Int("count_include_pad", 1);
}

void WriteReduce(NodeWriter& writer) {
  const auto& attrs = writer.attr<ReduceAttrs>();
  const bool axes_are_input = writer.opset() >= (writer.node().op == OpType::kReduceSum ? 13 : 18);
  if (!axes_are_input) writer.Ints("axes", attrs.axes);
  writer.Int("keepdims", attrs.keep_dims ? 1 : 0);
  if (!axes_are_input) return;
  if (!attrs.axes.empty()) writer.IntsInput(1, "axes", attrs.axes);
  if (attrs.no_op_with_empty_axes) writer.Int("noop_with_empty_axes", 1);
}

void WriteArgMax(NodeWriter& writer) {
  const auto& attrs = writer.attr<ArgMaxAttrs>();
  writer.Int("axis", attrs.axis);
  writer.Int("keepdims", attrs.keep_dims ? 1 : 0);
  if (attrs.select_last_index) writer.Int("select_last_index", 1);
}

// X, scales, sizes become X, roi, scales, sizes. The region of interest, which one coordinate mode needs, is
// everything.
void WriteResize(NodeWriter& writer) {
  const auto& attrs = writer.attr<ResizeAttrs>();
  writer.String("coordinate_transformation_mode", WordOf(attrs.coordinates));
  if (attrs.mode == ResizeMode::kCubic) writer.Float("cubic_coeff_a", attrs.cubic_coeff_a);
  if (attrs.exclude_outside) writer.Int("exclude_outside", 1);
  if (attrs.extrapolation_value != 0) writer.Float("extrapolation_value", attrs.extrapolation_value);
  writer.String("mode", WordOf(attrs.mode));
  if (attrs.mode == ResizeMode::kNearest) writer.String("nearest_mode", WordOf(attrs.nearest));
  writer.InsertInput(1);
  if (attrs.coordinates != CoordinateMode::kTfCropAndResize) return;
  const size_t rank = static_cast<size_t>(writer.input_value(0).shape.rank());
  std::vector<float> region(rank, 0.0f);
  region.resize(2 * rank, 1.0f);
  writer.ConstantInput(1, "roi", Tensor::Of<float>({static_cast<int64_t>(2 * rank)}, std::move(region)));
}

void WriteDepthToSpace(NodeWriter& writer) {
  const auto& attrs = writer.attr<DepthToSpaceAttrs>();
  writer.Int("blocksize", attrs.block_size);
  writer.String("mode", WordOf(attrs.mode));
}

void WriteSpaceToDepth(NodeWriter& writer) { writer.Int("blocksize", writer.attr<SpaceToDepthAttrs>().block_size); }

void WriteRecurrent(NodeWriter& writer) {
  const auto& attrs = writer.attr<RecurrentAttrs>();
  writer.Int("hidden_size", attrs.hidden_size);
  if (attrs.direction != RecurrentDirection::kForward) writer.String("direction", WordOf(attrs.direction));
  if (attrs.linear_before_reset) writer.Int("linear_before_reset", 1);
}

// --- the table

struct ExporterRow {
  OpType op;
  int64_t (*opset)(const Graph&, const Node&);
  void (*write)(NodeWriter&);
};

// Operators that need nothing beyond opset 13 and no attributes are not listed.
constexpr ExporterRow kExporters[] = {
    {OpType::kConv, Lowest, WriteConv},
    {OpType::kConvTranspose, Lowest, WriteConvTranspose},
    {OpType::kGemm, Lowest, WriteGemm},
    {OpType::kBatchNormalization, Lowest, WriteBatchNorm},
    {OpType::kInstanceNormalization, Lowest, WriteInstanceNorm},
    {OpType::kLRN, Lowest, WriteLrn},
    {OpType::kLSTM, Lowest, WriteRecurrent},
    {OpType::kGRU, Lowest, WriteRecurrent},
    {OpType::kLeakyRelu, Lowest, WriteAlpha},
    {OpType::kElu, Lowest, WriteAlpha},
    {OpType::kClip, Lowest, WriteClip},
    {OpType::kHardSigmoid, Lowest, WriteHardSigmoid},
    {OpType::kHardSwish, NeedsHardSwish, WriteNothing},
    {OpType::kSoftmax, Lowest, WriteAxis},
    {OpType::kLogSoftmax, Lowest, WriteAxis},
    {OpType::kConcat, Lowest, WriteAxis},
    {OpType::kSplit, NeedsSplit, WriteSplit},
    {OpType::kPad, NeedsPad, WritePad},
    {OpType::kReshape, NeedsReshape, WriteReshape},
    {OpType::kFlatten, Lowest, WriteAxis},
    {OpType::kTranspose, Lowest, WriteTranspose},
    {OpType::kSqueeze, Lowest, WriteAxes},
    {OpType::kUnsqueeze, Lowest, WriteAxes},
    {OpType::kGather, Lowest, WriteAxis},
    {OpType::kShape, NeedsShape, WriteShape},
    {OpType::kConstantOfShape, Lowest, WriteConstantOfShape},
    {OpType::kCast, Lowest, WriteCast},
    {OpType::kMaxPool, Lowest, WritePool},
    {OpType::kAveragePool, NeedsAveragePool, WritePool},
    {OpType::kReduceMean, NeedsReduce, WriteReduce},
    {OpType::kReduceSum, NeedsReduce, WriteReduce},
    {OpType::kReduceMax, NeedsReduce, WriteReduce},
    {OpType::kReduceMin, NeedsReduce, WriteReduce},
    {OpType::kArgMax, Lowest, WriteArgMax},
    {OpType::kResize, NeedsResize, WriteResize},
    {OpType::kDepthToSpace, Lowest, WriteDepthToSpace},
    {OpType::kSpaceToDepth, Lowest, WriteSpaceToDepth},
};

ExporterRow RowOf(OpType op) {
  for (const ExporterRow& row : kExporters) {
    if (row.op == op) return row;
  }
  return {op, Lowest, WriteNothing};
}

}  // namespace

int64_t OpsetNeeded(const Graph& graph, const Node& node) { return RowOf(node.op).opset(graph, node); }

void WriteAttributes(NodeWriter& writer) { RowOf(writer.node().op).write(writer); }

}  // namespace qlite::onnx
