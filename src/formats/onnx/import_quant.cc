// QuantizeLinear and DequantizeLinear: their constant inputs become the QuantParams of the integer value.
#include <algorithm>

#include "core/checked_math.h"
#include "core/str_cat.h"
#include "formats/onnx/importers.h"
#include "formats/onnx/onnx_tensor.h"

namespace qlite::onnx {
namespace {

// What the inputs and attributes of either operator say.
struct Quantization {
  ElementType type = ElementType::kUndefined;  // of the integers, as the file states it
  int32_t shift = 0;                           // taken from them, where they are unsigned
  QuantParams params;                          // of the shifted ones
};

// What is taken from the integers of an unsigned type to make them signed.
int32_t ShiftOf(ElementType type, int packed_bits) {
  if (type != ElementType::kUInt8) return 0;
  return packed_bits == 4 ? kUint4Shift : kUint8Shift;
}

std::vector<int32_t> ZeroPoints(NodeReader& node, const Tensor& tensor, int32_t shift) {
  std::vector<int32_t> values;
  const auto append = [&](auto data) {
    for (const auto v : data) values.push_back(static_cast<int32_t>(v) - shift);
  };
  switch (tensor.type()) {
    case ElementType::kInt8:
      append(tensor.data<int8_t>());
      break;
    case ElementType::kUInt8:
      append(tensor.data<uint8_t>());
      break;
    case ElementType::kInt16:
      append(tensor.data<int16_t>());
      break;
    case ElementType::kInt32:
      append(tensor.data<int32_t>());
      break;
    default:
      node.Unsupported(StrCat("quantization to ", ElementTypeName(tensor.type()), " is"));
  }
  return values;
}

bool IsListOrScalar(const Tensor& tensor) { return tensor.dims().size() <= 1; }

// The axis as a position; a constant or an annotated value has a rank to count a negative one from.
int64_t ReadAxis(NodeReader& node) {
  const int64_t axis = node.Int("axis", 1);
  if (axis >= 0) return axis;
  const std::optional<int64_t> rank = node.Rank(0);
  if (!rank.has_value()) {
    node.Unsupported("a negative axis on an input of unknown rank is");
  } else if (axis + *rank < 0) {
    node.Invalid(StrCat("axis ", axis, " of an input of rank ", *rank));
  }
  return axis + rank.value_or(0);
}

// Scales of blocks have the extents of the constant, but for that of `axis`, which counts blocks.
bool FitBlocks(const Tensor& scale, const Tensor& constant, int64_t axis, int64_t block_size) {
  std::vector<int64_t> dims = constant.dims();
  if (axis >= static_cast<int64_t>(dims.size())) return false;
  int64_t& blocks = dims[static_cast<size_t>(axis)];
  blocks = CeilDiv(blocks, block_size);
  return scale.dims() == dims;
}

// Reads the axis where scales lie along one; of a constant in blocks also their size.
void ReadPlaces(NodeReader& node, const Tensor& scale, QuantParams& params) {
  node.Ignore("saturate");  // of float8
  const int64_t block_size = node.Int("block_size", 0);
  if (block_size == 0) {
    if (!IsListOrScalar(scale)) return node.Invalid("the scale must be one float or a list of them");
    node.Ignore("axis");  // it means nothing beside a single scale
    if (params.scales.size() > 1) params.axis = ReadAxis(node);
    return;
  }
  if (block_size < 0) return node.Invalid(StrCat("block_size ", block_size));
  const Tensor* constant = node.Constant(0);
  if (constant == nullptr) return node.Unsupported("quantization of computed values in blocks (block_size) is");
  params.axis = ReadAxis(node);
  params.block_size = block_size;
  if (node.ok() && !FitBlocks(scale, *constant, params.axis, block_size)) {
    node.Invalid(StrCat("the extents of the scale do not fit blocks of ", block_size, " along axis ", params.axis));
  }
}

int WidthOf(ElementType type, int packed_bits) {
  return packed_bits > 0 ? packed_bits : 8 * static_cast<int>(ElementSize(type));
}

// `assumed` is the type where no zero point states it, `packed_bits` the width of integers that shared bytes.
Quantization ReadQuantization(NodeReader& node, ElementType assumed, int packed_bits) {
  Quantization result;
  const Tensor* scale = node.Constant(1);
  const Tensor* zero_point = node.Constant(2);
  if (scale == nullptr || (node.HasInput(2) && zero_point == nullptr)) {
    node.Unsupported("a scale or zero point that the model computes is");
    return result;
  }
  if (scale->type() != ElementType::kFloat32 || scale->element_count() == 0) {
    node.Invalid("the scale must be one float or more");
    return result;
  }
  QuantParams& params = result.params;
  const auto scales = scale->data<float>();
  params.scales.assign(scales.begin(), scales.end());
  result.type = zero_point != nullptr ? zero_point->type() : assumed;
  result.shift = ShiftOf(result.type, packed_bits);
  if (zero_point != nullptr) {
    params.zero_points = ZeroPoints(node, *zero_point, result.shift);
  } else {
    params.zero_points.assign(scales.size(), -result.shift);
  }
  params.bits = WidthOf(result.type, packed_bits);
  const std::vector<int32_t>& points = params.zero_points;
  const bool symmetric = std::all_of(points.begin(), points.end(), [](int32_t z) { return z == 0; });
  params.scheme = symmetric ? QuantScheme::kSymmetric : QuantScheme::kAsymmetric;
  if (node.ok() && params.zero_points.size() != scales.size()) {
    node.Invalid(StrCat("there are ", scales.size(), " scales and ", params.zero_points.size(), " zero points"));
  }
  ReadPlaces(node, *scale, params);
  if (absl::Status status = params.Validate(); node.ok() && !status.ok()) node.Fail(status);
  return result;
}

Tensor Shifted(const Tensor& tensor, int32_t shift) {
  const auto data = tensor.data<uint8_t>();
  std::vector<int8_t> values(data.size());
  std::transform(data.begin(), data.end(), values.begin(), [&](uint8_t u) { return static_cast<int8_t>(u - shift); });
  return Tensor::Of<int8_t>(tensor.dims(), std::move(values));
}

// The constant with these parameters; further readers with the same parameters share it.
ValueId QuantizedConstant(NodeReader& node, const Quantization& quantization) {
  const QuantParams& params = quantization.params;
  Binding& binding = node.InputBinding(0);
  Graph& graph = node.state().graph;
  const bool is_unsigned = binding.tensor->type() == ElementType::kUInt8;
  const Tensor tensor = is_unsigned ? Shifted(*binding.tensor, quantization.shift) : *binding.tensor;
  if (binding.other_form.valid() && graph.value(binding.other_form).quant == params) return binding.other_form;
  binding.other_form = graph.AddConstant(node.InputName(0), tensor);
  graph.mutable_value(binding.other_form).quant = params;
  return binding.other_form;
}

// q = u - 128 of a uint8 value that no QuantizeLinear made.
ValueId ShiftForth(NodeReader& node, ValueId plain) {
  const ValueId wide = node.Add(OpType::kCast, CastAttrs{ElementType::kInt32}, {plain}, "wide");
  const ValueId offset = node.AddConstant(Tensor::Of<int32_t>({}, {kUint8Shift}), "offset");
  const ValueId moved = node.Add(OpType::kSub, ElementwiseAttrs{}, {wide, offset}, "moved");
  return node.Add(OpType::kCast, CastAttrs{ElementType::kInt8}, {moved}, "int8");
}

// The integer value that a DequantizeLinear reads, with these parameters on it.
ValueId QuantizedValue(NodeReader& node, const Quantization& quantization) {
  bool shifted = false;
  ValueId id = node.InputAsHeld(0, shifted);
  if (!node.ok()) return {};
  Binding& binding = node.InputBinding(0);
  if (quantization.type == ElementType::kUInt8 && !shifted) {
    if (!binding.other_form.valid()) binding.other_form = ShiftForth(node, id);
    id = binding.other_form;
  } else if (quantization.type != ElementType::kUInt8 && shifted) {
    node.Invalid("the zero point's type is not that of the input");
  }
  if (!node.ok()) return {};
  Graph& graph = node.state().graph;
  if (graph.value(id).quant.has_value() && *graph.value(id).quant != quantization.params) {
    node.Unsupported(StrCat("reading '", node.InputName(0), "' with other parameters than it was quantized with is"));
  }
  if (node.ok()) graph.mutable_value(id).quant = quantization.params;
  return id;
}

// The type of the integers that DequantizeLinear reads, as far as it is known.
ElementType KnownType(NodeReader& node) {
  if (!node.HasInput(0)) return ElementType::kUndefined;
  const Binding& binding = node.InputBinding(0);
  if (binding.tensor.has_value()) return binding.tensor->type();
  return binding.shifted ? ElementType::kUInt8 : binding.type;
}

bool IsQuantizedType(ElementType type) {
  return type == ElementType::kInt8 || type == ElementType::kUInt8 || type == ElementType::kInt16 ||
         type == ElementType::kInt32;
}

int PackedBitsOf(NodeReader& node) {
  return node.HasInput(0) && node.Constant(0) != nullptr ? node.InputBinding(0).packed_bits : 0;
}

}  // namespace

void ImportQuantizeLinear(NodeReader& node) {
  ElementType assumed = ElementType::kUInt8;
  if (const int64_t stated = node.Int("output_dtype", 0); stated != 0) {
    const absl::StatusOr<ElementType> type = ElementTypeFromOnnx(static_cast<int32_t>(stated));
    if (!type.ok()) return node.Fail(type.status());
    assumed = *type;
  }
  const Quantization quantization = ReadQuantization(node, assumed, 0);
  if (node.ok() && quantization.type != ElementType::kInt8 && quantization.type != ElementType::kUInt8) {
    node.Unsupported(StrCat("quantization to ", ElementTypeName(quantization.type), " is"));
  }
  node.Emit(OpType::kQuantize, QuantizeAttrs{}, {node.Input(0)}, quantization.type == ElementType::kUInt8);
  if (!node.ok()) return;
  Binding& output = node.OutputBinding(0);
  output.type = quantization.type;
  node.state().graph.mutable_value(output.id).quant = quantization.params;
}

void ImportDequantizeLinear(NodeReader& node) {
  const Quantization quantization = ReadQuantization(node, KnownType(node), PackedBitsOf(node));
  if (node.ok() && !IsQuantizedType(quantization.type)) {
    return node.Unsupported(quantization.type == ElementType::kUndefined
                                ? "an input of unknown type without a zero point is"
                                : StrCat("quantization to ", ElementTypeName(quantization.type), " is"));
  }
  if (!node.ok()) return;
  const Tensor* constant = node.Constant(0);
  if (constant != nullptr && constant->type() != quantization.type) {
    return node.Invalid(StrCat("the input is ", ElementTypeName(constant->type()), " and its zero point ",
                               ElementTypeName(quantization.type)));
  }
  const ValueId input =
      constant != nullptr ? QuantizedConstant(node, quantization) : QuantizedValue(node, quantization);
  node.Emit(OpType::kDequantize, QuantizeAttrs{}, {input});
}

}  // namespace qlite::onnx
