#include "formats/onnx/onnx_writer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "core/checked_math.h"
#include "core/infinity.h"
#include "core/str_cat.h"
#include "formats/onnx/exporters.h"
#include "formats/onnx/node_writer.h"
#include "formats/onnx/onnx.pb.h"
#include "formats/onnx/onnx_tensor.h"
#include "formats/onnx/quant_storage.h"
#include "google/protobuf/arena.h"
#include "qlite/version.h"

namespace qlite {
namespace onnx {
namespace {

using onnx_schema::GraphProto;
using onnx_schema::ModelProto;
using onnx_schema::NodeProto;
using onnx_schema::TensorProto;
using onnx_schema::ValueInfoProto;

// The version of the file format that came with an opset.
int64_t IrVersionOf(int64_t opset) {
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

void WriteValueInfo(const Value& value, ValueInfoProto& info) {
  info.set_name(value.name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(DataTypeToOnnx(value.type));
  if (!value.shape.has_rank()) return;
  auto& shape = *tensor.mutable_shape();
  for (const Dim& dim : value.shape.dims()) {
    auto& written = *shape.add_dim();
    if (dim.known()) written.set_dim_value(dim.value);
    if (!dim.known() && !dim.symbol.empty()) written.set_dim_param(dim.symbol);
  }
}

// Integers of an int8 tensor without their sign.
Tensor Raised(const Tensor& tensor, int32_t shift) {
  const auto data = tensor.data<int8_t>();
  std::vector<uint8_t> raised(data.size());
  std::transform(data.begin(), data.end(), raised.begin(), [&](int8_t q) { return static_cast<uint8_t>(q + shift); });
  return Tensor::Of<uint8_t>(tensor.dims(), std::move(raised));
}

// Writes the nodes of a graph in topological order, each with the Q/DQ nodes around it.
class GraphExporter : public ConstantSink {
 public:
  GraphExporter(const Graph& graph, const OnnxWriteOptions& options, int64_t opset, GraphProto& proto)
      : graph_(graph),
        opset_(opset),
        proto_(proto),
        unsigned_(StoredUnsigned(graph, options.uint8_activations)),
        params_(graph.value_slots()),
        real_names_(graph.value_slots()),
        written_(graph.value_slots(), 0) {
    for (size_t i = 0; i < graph.value_slots(); ++i) {
      const ValueId id{static_cast<int32_t>(i)};
      if (graph.alive(id)) names_.insert(graph.value(id).name);
    }
  }

  absl::Status Run() {
    proto_.set_name(graph_.name.empty() ? "graph" : graph_.name);
    for (const NodeId id : graph_.TopologicalOrder()) {
      if (absl::Status status = WriteNode(graph_.node(id)); !status.ok()) return status;
    }
    for (const ValueId id : graph_.inputs()) WriteValueInfo(graph_.value(id), *proto_.add_input());
    for (const ValueId id : graph_.outputs()) {
      if (graph_.value(id).is_constant()) WriteConstant(id);
      WriteValueInfo(graph_.value(id), *proto_.add_output());
    }
    return absl::OkStatus();
  }

  std::string AddConstant(std::string_view wanted, const Tensor& tensor) override {
    const std::string name = UniqueName(wanted);
    WriteTensor(name, tensor, *proto_.add_initializer());
    return name;
  }

 private:
  // The names of what a quantized value's integers stand for; no zero point for int32, mostly no mean shift.
  struct Params {
    std::string scale, zero_point, shift;
  };

  std::string UniqueName(std::string_view wanted) {
    std::string name(wanted);
    for (int64_t suffix = 1; !names_.insert(name).second; ++suffix) name = StrCat(wanted, "_", suffix);
    return name;
  }

  // For what only the Q/DQ nodes need. In small models long names would weigh as much as weights.
  std::string ShortName(std::string_view kind) { return UniqueName(StrCat(kind, "_", ++short_names_)); }

  bool IsUnsigned(ValueId id) const { return unsigned_[static_cast<size_t>(id.index)] != 0; }

  // What is added to the value's integers when they are written.
  int32_t ShiftOf(ValueId id) const {
    if (!IsUnsigned(id)) return 0;
    return StoredIn4Bits(graph_.value(id)) ? kUint4Shift : kUint8Shift;
  }

  static void WriteIntegers(std::string_view name, const Tensor& tensor, bool in_4_bits, TensorProto& proto) {
    in_4_bits ? Write4BitTensor(name, tensor, proto) : WriteTensor(name, tensor, proto);
  }

  // The graph's own constant, once.
  void WriteConstant(ValueId id) {
    if (std::exchange(written_[static_cast<size_t>(id.index)], 1) != 0) return;
    const Value& value = graph_.value(id);
    const Tensor& tensor = IsUnsigned(id) ? Raised(*value.constant, ShiftOf(id)) : *value.constant;
    WriteIntegers(value.name, tensor, StoredIn4Bits(value), *proto_.add_initializer());
  }

  // The extents of scales and zero points.
  std::vector<int64_t> ParamDims(const Value& value) const {
    const QuantParams& quant = *value.quant;
    if (!quant.per_axis()) return {};
    if (quant.block_size == 0) return {static_cast<int64_t>(quant.scales.size())};
    std::vector<int64_t> dims = value.constant->dims();
    int64_t& blocks = dims[static_cast<size_t>(quant.axis)];
    blocks = CeilDiv(blocks, quant.block_size);
    return dims;
  }

  // Scalar, list or blocks of them; the kinds differ, so that parameters are pooled with their like alone.
  void AddZeroPoints(ValueId id, const std::vector<int64_t>& dims, Params& params) {
    const Value& value = graph_.value(id);
    const std::vector<int32_t>& points = value.quant->zero_points;
    if (value.type == ElementType::kInt32) return;
    const bool in_4_bits = StoredIn4Bits(value);
    if (value.type == ElementType::kInt16) {
      params.zero_point = PooledConstant("z", Tensor::Of<int16_t>(dims, {points.begin(), points.end()}), false);
      return;
    }
    const Tensor plain = Tensor::Of<int8_t>(dims, {points.begin(), points.end()});
    params.zero_point = PooledConstant("z", IsUnsigned(id) ? Raised(plain, ShiftOf(id)) : plain, in_4_bits);
  }

  absl::StatusOr<Params> ParamsOf(ValueId id) {
    std::optional<Params>& params = params_[static_cast<size_t>(id.index)];
    if (params.has_value()) return *params;
    const Value& value = graph_.value(id);
    if (absl::Status status = CheckQuantization(value); !status.ok()) return status;
    const QuantParams& quant = *value.quant;
    std::vector<float> factors(quant.scales.size());
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = quant.factor(i);
    const std::vector<int64_t> dims = ParamDims(value);
    params.emplace();
    params->scale = PooledConstant("s", Tensor::Of<float>(dims, std::move(factors)), false);
    AddZeroPoints(id, dims, *params);
    if (!quant.mean_shifts.empty()) params->shift = PooledConstant("m", ShiftsOf(value), false);
    return *params;
  }

  // Mean shifts, to be added to the dequantized constant.
  static Tensor ShiftsOf(const Value& value) {
    const QuantParams& quant = *value.quant;
    std::vector<int64_t> dims;
    if (quant.per_axis()) {
      dims.assign(value.constant->dims().size() - static_cast<size_t>(quant.axis), 1);
      dims[0] = static_cast<int64_t>(quant.scales.size());
    }
    return Tensor::Of<float>(dims, quant.mean_shifts);
  }

  // Equal parameters share one constant.
  std::string PooledConstant(std::string_view kind, const Tensor& tensor, bool in_4_bits) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.buffer().data), tensor.buffer().size);
    const std::string key = StrCat(ElementTypeName(tensor.type()), in_4_bits ? " in 4 bits" : "", "[",
                                   absl::StrJoin(tensor.dims(), ","), "]:", bytes);
    const auto [found, added] = pool_.try_emplace(key);
    if (added) {
      found->second = ShortName(kind);
      WriteIntegers(found->second, tensor, in_4_bits, *proto_.add_initializer());
    }
    return found->second;
  }

  static void SetAttribute(NodeProto& node, std::string_view name, int64_t value) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(std::string(name));
    attribute.set_type(onnx_schema::AttributeProto::INT);
    attribute.set_i(value);
  }

  // QuantizeLinear or DequantizeLinear, from one name to another, with the parameters of `quantized`; mean shifts are
  // added behind.
  absl::Status WriteConversion(std::string_view op, const std::string& node_name, const std::string& from,
                               const std::string& to, ValueId quantized) {
    const absl::StatusOr<Params> params = ParamsOf(quantized);
    if (!params.ok()) return params.status();
    const std::string result = params->shift.empty() ? to : ShortName("u");
    NodeProto& node = *proto_.add_node();
    node.add_input(from);
    node.add_input(params->scale);
    if (!params->zero_point.empty()) node.add_input(params->zero_point);
    node.add_output(result);
    if (!node_name.empty()) node.set_name(node_name);
    node.set_op_type(std::string(op));
    const QuantParams& quant = *graph_.value(quantized).quant;
    if (quant.per_axis()) SetAttribute(node, "axis", quant.axis);
    if (quant.block_size > 0) SetAttribute(node, "block_size", quant.block_size);
    if (params->shift.empty()) return absl::OkStatus();
    NodeProto& add = *proto_.add_node();
    add.add_input(result);
    add.add_input(params->shift);
    add.add_output(to);
    add.set_op_type("Add");
    return absl::OkStatus();
  }

  absl::Status WriteQuantize(const std::string& from, const std::string& to, ValueId quantized) {
    return WriteConversion("QuantizeLinear", "", from, to, quantized);
  }

  // The real numbers of `from`, which holds the integers of `quantized`.
  absl::StatusOr<std::string> Dequantized(const std::string& from, ValueId quantized) {
    const std::string to = ShortName("dq");
    if (absl::Status status = WriteConversion("DequantizeLinear", "", from, to, quantized); !status.ok()) return status;
    return to;
  }

  // One DequantizeLinear serves all readers of a value.
  absl::StatusOr<std::string> InputName(ValueId id, bool as_integers) {
    if (!id.valid()) return std::string();
    const Value& value = graph_.value(id);
    if (value.is_constant()) WriteConstant(id);
    if (!IsQuantized(value) || as_integers) return value.name;
    std::string& real = real_names_[static_cast<size_t>(id.index)];
    if (!real.empty()) return real;
    absl::StatusOr<std::string> name = Dequantized(value.name, id);
    if (name.ok()) real = *name;
    return name;
  }

  // The node can work on the integers of its first input and give those of its output.
  bool WorksOnIntegers(const Node& node) const {
    if (ReadsIntegers(graph_, node)) return true;
    return MovesIntegers(graph_, node) && IsUnsigned(node.inputs[0]) == IsUnsigned(node.outputs[0]);
  }

  // A node that is not among the graph's yet, in the same arena.
  NodeProto* NewNode() { return google::protobuf::Arena::CreateMessage<NodeProto>(proto_.GetArena()); }

  absl::Status WriteNode(const Node& node) {
    if (node.op == OpType::kQuantize || node.op == OpType::kDequantize) return WriteBorder(node);
    NodeProto& proto = *NewNode();
    proto.set_name(node.name);
    proto.set_op_type(std::string(OpName(node.op)));
    const bool as_integers = WorksOnIntegers(node);
    for (const ValueId input : node.inputs) {
      const absl::StatusOr<std::string> name = InputName(input, as_integers);
      if (!name.ok()) return name.status();
      proto.add_input(*name);
    }
    NodeWriter writer(graph_, node, opset_, *this, proto);
    WriteAttributes(writer);
    if (as_integers && node.op == OpType::kPad) WriteIntegerFill(node, writer);
    return WriteResults(node, proto, as_integers);
  }

  // What a Pad of integers fills in; without it, it would be the integer 0.
  void WriteIntegerFill(const Node& node, NodeWriter& writer) {
    const Value& data = graph_.value(node.inputs[0]);
    if (node.attr<PadAttrs>().mode != PadMode::kConstant || !data.quant.has_value()) return;
    const int32_t q = QuantizedFill(graph_, node);
    if (IsUnsigned(node.inputs[0])) {
      writer.ConstantInput(2, "fill", Tensor::Of<uint8_t>({}, {static_cast<uint8_t>(q + kUint8Shift)}));
    } else {
      writer.ConstantInput(2, "fill", Tensor::Of<int8_t>({}, {static_cast<int8_t>(q)}));
    }
  }

  absl::Status WriteBorder(const Node& node) {
    const ValueId input = node.inputs[0], output = node.outputs[0];
    if (graph_.value(input).is_constant()) WriteConstant(input);
    const bool quantize = node.op == OpType::kQuantize;
    return WriteConversion(quantize ? "QuantizeLinear" : "DequantizeLinear", node.name, graph_.value(input).name,
                           graph_.value(output).name, quantize ? output : input);
  }

  // The node itself, then what its results go through before they are the graph's values.
  absl::Status WriteResults(const Node& node, NodeProto& proto, bool as_integers) {
    const FusedClamp* clamp = FindClamp(node.attrs);
    const bool clamped = clamp != nullptr && clamp->active() && node.op != OpType::kClip;
    std::vector<std::pair<std::string, ValueId>> quantized;
    std::string unclamped;
    for (const ValueId id : node.outputs) {
      if (!id.valid()) {
        proto.add_output();
        continue;
      }
      const Value& value = graph_.value(id);
      if (IsQuantized(value) && !as_integers) {
        quantized.emplace_back(ShortName("f"), id);
        proto.add_output(quantized.back().first);
      } else {
        if (clamped) unclamped = UniqueName(value.name + "/unclamped");
        proto.add_output(clamped ? unclamped : value.name);
      }
    }
    const bool biased_matmul = node.op == OpType::kMatMul && node.has_input(2);
    if (biased_matmul) {
      SplitBias(node, proto);
    } else {
      proto_.mutable_node()->AddAllocated(&proto);
    }
    if (!unclamped.empty()) WriteClamp(*clamp, unclamped, graph_.value(node.outputs[0]).name);
    for (const auto& [name, id] : quantized) {
      const bool stage = clamped && !ImpliedByQuantization(*clamp, *graph_.value(id).quant);
      absl::Status status = stage ? WriteClampStage(*clamp, name, id) : WriteQuantize(name, graph_.value(id).name, id);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // ONNX's MatMul takes no bias: an Add follows.
  void SplitBias(const Node& node, NodeProto& proto) {
    const std::string product = UniqueName(StrCat(graph_.value(node.outputs[0]).name, "/product"));
    NodeProto& add = *NewNode();
    add.add_input(product);
    add.add_input(proto.input(2));
    add.add_output(proto.output(0));
    add.set_name(node.name + "/bias");
    add.set_op_type("Add");
    proto.mutable_input()->RemoveLast();
    proto.set_output(0, product);
    proto_.mutable_node()->AddAllocated(&proto);
    proto_.mutable_node()->AddAllocated(&add);
  }

  void WriteClamp(const FusedClamp& clamp, const std::string& from, const std::string& to) {
    NodeProto& node = *proto_.add_node();
    node.add_input(from);
    node.add_output(to);
    if (clamp.min == 0 && clamp.max == kInfinity) {
      node.set_op_type("Relu");
      return;
    }
    node.set_op_type("Clip");
    const auto bound = [&](std::string_view name, float value) {
      return AddConstant(StrCat(to, "/", name), Tensor::Of<float>({}, {value}));
    };
    node.add_input(clamp.min != -kInfinity ? bound("min", clamp.min) : "");
    if (clamp.max != kInfinity) node.add_input(bound("max", clamp.max));
  }

  // A clamp that the quantized range does not imply, as an integer stage: the operator before it is then fused all the
  // same.
  absl::Status WriteClampStage(const FusedClamp& clamp, const std::string& from, ValueId id) {
    const std::string& name = graph_.value(id).name;
    const std::string integers = UniqueName(name + "/unclamped");
    if (absl::Status status = WriteQuantize(from, integers, id); !status.ok()) return status;
    const absl::StatusOr<std::string> real = Dequantized(integers, id);
    if (!real.ok()) return real.status();
    const std::string clamped = UniqueName(name + "/clamped");
    WriteClamp(clamp, *real, clamped);
    return WriteQuantize(clamped, name, id);
  }

  const Graph& graph_;
  const int64_t opset_;
  GraphProto& proto_;
  std::set<std::string> names_;              // of values, taken so far
  std::vector<char> unsigned_;               // by value
  std::map<std::string, std::string> pool_;  // names of the constants that hold parameters, by content
  std::vector<std::optional<Params>> params_;
  std::vector<std::string> real_names_;  // of the dequantized values, by value
  std::vector<char> written_;            // constants
  int64_t short_names_ = 0;
};

int64_t OpsetOf(const Graph& graph) {
  int64_t opset = 13;
  for (const NodeId id : graph.TopologicalOrder()) opset = std::max(opset, OpsetNeeded(graph, graph.node(id)));
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (graph.alive(id)) opset = std::max(opset, OpsetOfStorage(graph.value(id)));
  }
  return opset;
}

absl::StatusOr<std::string> Serialize(const ModelProto& model) {
  if (model.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::ResourceExhaustedError(
        StrCat("the model has ", model.ByteSizeLong(), " bytes; an ONNX file cannot pass 2 GiB. Write .qlite instead"));
  }
  return model.SerializeAsString();
}

}  // namespace
}  // namespace onnx

absl::StatusOr<std::string> WriteOnnx(const Graph& graph, const OnnxWriteOptions& options) {
  Graph inferred = graph;
  if (absl::Status status = inferred.InferShapes(); !status.ok()) return status;
  google::protobuf::Arena arena;  // without one, messages begun when memory runs out would be lost
  auto& model = *google::protobuf::Arena::CreateMessage<onnx_schema::ModelProto>(&arena);
  const int64_t opset = onnx::OpsetOf(inferred);
  model.set_ir_version(onnx::IrVersionOf(opset));
  model.set_producer_name("qlite");
  model.set_producer_version(LibraryVersion());
  auto& import = *model.add_opset_import();
  import.set_domain("");
  import.set_version(opset);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphExporter exporter(inferred, options, opset, *model.mutable_graph());
  if (absl::Status status = exporter.Run(); !status.ok()) return status;
  return onnx::Serialize(model);
}

}  // namespace qlite
