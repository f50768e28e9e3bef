#include "runtime/coded_weights.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "core/bit_packing.h"
#include "core/checked_math.h"
#include "core/mapped_file.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

// A product that may read coded weights, and along which of their axes it sums.
struct ReaderAxes {
  int64_t output = 0, input = 0;
};

// Why the node has to read float weights; empty where it has not.
std::string ReasonOfReader(const Graph& graph, const Node& node, ValueId weights, ReaderAxes& axes) {
  const auto reads = std::count(node.inputs.begin(), node.inputs.end(), weights);
  if (reads != 1 || node.inputs.size() < 2 || node.inputs[1] != weights) return "it is not read as weights";
  const Shape& shape = graph.value(weights).shape;
  switch (node.op) {
    case OpType::kMatMul:
      axes = {1, 0};
      return shape.rank() == 2 ? "" : "it is not a matrix";
    case OpType::kGemm: {
      const auto& attrs = node.attr<GemmAttrs>();
      axes = attrs.trans_b ? ReaderAxes{0, 1} : ReaderAxes{1, 0};
      return attrs.alpha == 1.0f ? "" : "its Gemm has a factor";
    }
    case OpType::kConv: {
      axes = {0, 1};
      const Shape& input = graph.value(node.inputs[0]).shape;
      const int64_t groups = node.attr<ConvAttrs>().group, channels = input.dim(1).value;
      if (shape.rank() != 3 && shape.rank() != 4) return "it has too many dimensions";
      return groups > 1 && groups == channels && groups == shape.dim(0).value ? "its convolution is depthwise" : "";
    }
    default:
      return StrCat(OpName(node.op), " reads it");
  }
}

std::string ReasonOfParams(const Value& integers, const ReaderAxes& axes) {
  const QuantParams& quant = *integers.quant;
  if (integers.type != ElementType::kInt8 || quant.bits > 8) {
    return StrCat("it has ", quant.bits, " bits of ", ElementTypeName(integers.type));
  }
  const int64_t expected = quant.block_size > 0 ? axes.input : axes.output;
  return !quant.per_axis() || quant.axis == expected ? "" : StrCat("it is quantized as ", quant.ToString());
}

std::string ReasonToDecode(const Graph& graph, const Node& node) {
  const ValueId real = node.outputs[0];
  const Value& integers = graph.value(node.inputs[0]);
  if (!integers.quant || !graph.value(real).shape.IsStatic() || integers.constant->element_count() == 0) {
    return "it is empty or has no parameters";
  }
  if (graph.IsOutput(real) || graph.Consumers(real).empty()) return "it is not read by products alone";
  for (const NodeId reader : graph.Consumers(real)) {
    ReaderAxes axes;
    std::string reason = ReasonOfReader(graph, graph.node(reader), real, axes);
    if (reason.empty()) reason = ReasonOfParams(integers, axes);
    if (!reason.empty()) return reason;
  }
  return "";
}

// Bits that hold every integer. Those of the parameters are not to be trusted for elements that lie unpacked.
int CodeBits(const Tensor& integers, const QuantParams& quant) {
  int width = 8;
  if (integers.packed() != nullptr) {
    width = integers.packed()->width;
  } else if (quant.bits < 8) {
    width = WidthOf(integers.data<int8_t>());
  }
  // The zero points are no wider than the parameters say.
  width = std::max(width, quant.bits);
  return width <= 2 ? 2 : width <= 4 ? 4 : 8;
}

kernels::CodedForm FormOf(const Tensor& integers, const QuantParams& quant) {
  return {.bits = CodeBits(integers, quant), .block_size = quant.block_size, .shifted = !quant.mean_shifts.empty()};
}

// Where the parameters of an output channel, block of input channels and tap are: they have an index for each, as the
// layout of the weights has with one extent cut into blocks.
kernels::CodedParams StridesOf(const CodedWeight& weight, const CodedLayout& layout) {
  const QuantParams& quant = weight.quant;
  kernels::CodedParams params;
  if (!quant.per_axis()) return params;
  params.out_stride = 1;
  if (quant.block_size == 0) return params;
  const auto axis = static_cast<size_t>(quant.axis);
  const int64_t extent = weight.integers.dims()[axis];
  params.block_stride = layout.in_stride;
  params.tap_stride = layout.tap_stride;
  params.out_stride =
      layout.outputs_first ? layout.out_stride / extent * CeilDiv(extent, quant.block_size) : layout.out_stride;
  return params;
}

// A part of the outputs, and a copy of its parameters in one block of memory.
struct Piece {
  int64_t first = 0, end = 0;
  std::vector<std::byte> memory;
  kernels::CodedParams params;  // in the memory
};

void CopyParams(const CodedWeight& weight, const CodedLayout& layout, int64_t outputs, Piece& piece) {
  const QuantParams& quant = weight.quant;
  kernels::CodedParams params = StridesOf(weight, layout);
  // Where the outputs lie innermost, the parameters are `rows` runs of one for each; otherwise those of an output lie
  // together.
  const int64_t of_output = std::max<int64_t>(params.out_stride, 1), count = piece.end - piece.first;
  const int64_t rows = quant.per_axis() ? static_cast<int64_t>(quant.scales.size()) / (outputs * of_output) : 1;
  const int64_t run = quant.per_axis() ? count * of_output : 1, begin = piece.first * params.out_stride;
  if (params.out_stride == 1 && params.block_stride > 0) params.block_stride = count;
  const auto values = static_cast<size_t>(rows * run);
  const int reals = 1 + !quant.variance_ratios.empty() + !quant.mean_shifts.empty();
  piece.memory.resize(values * (static_cast<size_t>(reals) * sizeof(float) + sizeof(int8_t)));
  std::byte* next = piece.memory.data();
  const auto copy = [&]<class T>(const auto& from, const T*& to) {
    if (from.empty()) return;
    T* place = reinterpret_cast<T*>(next);
    to = place;
    for (int64_t row = 0; row < rows; ++row, place += run) {
      std::copy_n(from.begin() + row * outputs * of_output + begin, run, place);
    }
    next += values * sizeof(T);
  };
  copy(quant.scales, params.scales);
  copy(quant.variance_ratios, params.ratios);
  copy(quant.mean_shifts, params.shifts);
  copy(quant.zero_points, params.zero_points);
  params.first_output = piece.first, params.end_output = piece.end;
  piece.params = params;
}

// Rows of the first dimension, unpacked or where they lie.
class Rows {
 public:
  explicit Rows(const Tensor& integers)
      : integers_(integers), length_(integers.element_count() / std::max<int64_t>(integers.dims()[0], 1)) {}

  int64_t length() const { return length_; }

  // The elements [from, to) of the rows [begin, end), one row `stride` behind the other.
  const int8_t* Read(int64_t begin, int64_t end, int64_t from, int64_t to, std::vector<int8_t>& scratch,
                     int64_t& stride) const {
    const PackedIntegers* packed = integers_.packed();
    stride = packed == nullptr ? length_ : to - from;
    if (packed == nullptr) return integers_.data<int8_t>().data() + begin * length_ + from;
    scratch.resize(static_cast<size_t>((end - begin) * stride));
    const bool whole = stride == length_;
    const int64_t runs = whole ? 1 : end - begin, run = whole ? (end - begin) * length_ : stride;
    for (int64_t i = 0; i < runs; ++i) {
      UnpackFields({packed->fields.data, packed->fields.size}, packed->width,
                   static_cast<uint64_t>((begin + i) * length_ + from),
                   std::span(scratch).subspan(static_cast<size_t>(i * run), static_cast<size_t>(run)));
    }
    return scratch.data();
  }

  void Release(int64_t begin, int64_t end) const {
    const PackedIntegers* packed = integers_.packed();
    const Buffer& memory = packed == nullptr ? integers_.buffer() : packed->fields;
    const auto bits = static_cast<uint64_t>(packed == nullptr ? 8 : packed->width);
    const uint64_t first = static_cast<uint64_t>(begin * length_) * bits / 8;
    const uint64_t last = static_cast<uint64_t>(end * length_) * bits / 8;
    ReleasePages({memory.data + first, last - first, memory.owner});
  }

 private:
  const Tensor& integers_;
  int64_t length_;
};

}  // namespace

CodedPlan PlanCodedWeights(const Graph& graph) {
  CodedPlan plan;
  for (const NodeId id : graph.TopologicalOrder()) {
    const Node& node = graph.node(id);
    if (node.op != OpType::kDequantize || !graph.value(node.inputs[0]).is_constant()) continue;
    const std::string reason = ReasonToDecode(graph, node);
    if (reason.empty()) {
      plan.nodes.push_back(id);
    } else {
      plan.decoded.push_back(StrCat("'", graph.value(node.inputs[0]).name, "': ", reason));
    }
  }
  return plan;
}

std::vector<NodeId> ProductsOfIntegers(const Graph& graph, const CodedPlan& plan) {
  std::vector<NodeId> products;
  for (const NodeId id : plan.nodes) {
    const std::span<const NodeId> readers = graph.Consumers(graph.node(id).outputs[0]);
    products.insert(products.end(), readers.begin(), readers.end());
  }
  std::sort(products.begin(), products.end());
  return products;
}

CodedWeights TakeCodedWeights(Graph& graph, const std::vector<NodeId>& nodes) {
  CodedWeights taken;
  for (const NodeId id : nodes) {
    const ValueId constant = graph.node(id).inputs[0], real = graph.node(id).outputs[0];
    const ValueId read = graph.AddValue(StrCat(graph.value(real).name, "/coded"));
    graph.mutable_value(read).type = graph.value(real).type;
    graph.mutable_value(read).shape = graph.value(real).shape;
    CodedWeight& weight = taken[read];
    weight.readers = static_cast<int64_t>(graph.Consumers(real).size());
    graph.ReplaceUses(real, read);
    graph.RemoveNode(id);
    // Other nodes may decode the same constant.
    const bool last = graph.Consumers(constant).empty() && !graph.IsOutput(constant);
    Value& value = graph.mutable_value(constant);
    weight.integers = *value.constant;
    weight.quant = last ? std::move(*value.quant) : *value.quant;
    if (last) value.quant.reset();
    weight.form = FormOf(weight.integers, weight.quant);
  }
  graph.RemoveUnusedValues();
  return taken;
}

void PackCodedWeight(const kernels::ConvCodedKernels& kernels, const kernels::ConvF32Geometry& geometry,
                     const CodedLayout& layout, Executor& executor, CodedWeight& weight, std::byte* packed,
                     int64_t piece_elements) {
  constexpr int64_t kStripeElements = 1 << 18;
  const int64_t outputs = geometry.out_channels;
  const bool last = weight.readers == 1;
  const int64_t in_output = std::max<int64_t>(1, weight.integers.element_count() / outputs);
  const int64_t outputs_a_piece = std::max<int64_t>(1, piece_elements / in_output);
  std::vector<Piece> pieces;
  for (int64_t first = 0; first < outputs; first += outputs_a_piece) {
    pieces.push_back({.first = first, .end = std::min(outputs, first + outputs_a_piece), .memory = {}, .params = {}});
  }
  if (last && pieces.size() > 1) {
    for (Piece& piece : pieces) CopyParams(weight, layout, outputs, piece);
    weight.quant = QuantParams();
  }
  const Rows rows(weight.integers);
  const int64_t channels = geometry.in_channels / geometry.groups;
  std::vector<std::vector<int8_t>> scratch(static_cast<size_t>(executor.concurrency()));
  for (Piece& piece : pieces) {
    if (piece.memory.empty()) CopyParams(weight, layout, outputs, piece);
    kernels.place_params(geometry, weight.form, piece.params, packed);
    std::vector<std::byte>().swap(piece.memory);  // an assignment would keep the memory
    // Rows that the piece has a part in, and which part.
    const int64_t begin_row = layout.outputs_first ? piece.first : 0,
                  end_row = layout.outputs_first ? piece.end : channels;
    const int64_t from = layout.outputs_first ? 0 : piece.first, to = layout.outputs_first ? rows.length() : piece.end;
    const int64_t unit = layout.outputs_first ? 1 : kernels::PackingUnit(weight.form);
    const int64_t stripe =
        CeilDiv(std::max<int64_t>(1, kStripeElements / std::max<int64_t>(to - from, 1)), unit) * unit;
    executor.ParallelFor(CeilDiv(end_row - begin_row, stripe), [&](int64_t begin, int64_t end, int worker) {
      for (; begin < end; ++begin) {
        const int64_t first = begin_row + begin * stripe, stop = std::min(end_row, first + stripe);
        int64_t row_stride = 0;
        kernels::CodedWeights part = {
            .data = rows.Read(first, stop, from, to, scratch[static_cast<size_t>(worker)], row_stride),
            .out_stride = layout.outputs_first ? row_stride : layout.out_stride,
            .in_stride = layout.outputs_first ? layout.in_stride : row_stride,
            .tap_stride = layout.tap_stride,
            .first_output = layout.outputs_first ? first : piece.first,
            .end_output = layout.outputs_first ? stop : piece.end,
            .first_channel = layout.outputs_first ? 0 : first,
            .end_channel = layout.outputs_first ? channels : stop};
        kernels.place_weights(geometry, weight.form, part, packed);
        if (last) rows.Release(first, stop);
      }
    });
  }
  if (last) rows.Release(0, weight.integers.dims()[0]);
  if (--weight.readers == 0) weight.integers = Tensor(), weight.quant = QuantParams();
}

}  // namespace qlite
