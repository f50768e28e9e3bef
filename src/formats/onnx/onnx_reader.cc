#include "formats/onnx/onnx_reader.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "formats/onnx/flattening_softmax.h"
#include "formats/onnx/fold_qdq.h"
#include "formats/onnx/import_state.h"
#include "formats/onnx/importers.h"
#include "formats/onnx/node_order.h"
#include "formats/onnx/onnx.pb.h"
#include "formats/onnx/onnx_tensor.h"
#include "formats/onnx/utf8.h"
#include "formats/onnx/wire_scan.h"
#include "google/protobuf/arena.h"

namespace qlite {
namespace onnx {
namespace {

using onnx_schema::GraphProto;
using onnx_schema::ModelProto;
using onnx_schema::NodeProto;
using onnx_schema::TensorProto;
using onnx_schema::ValueInfoProto;

constexpr int64_t kFirstOpset = 7;
constexpr int64_t kLastOpset = 21;
// Operators with the names of this many nodes each are listed; more would not help.
constexpr size_t kListedNodes = 3;

// The model lives in the arena: a message of its own would lose what it has begun to parse where memory runs out.
absl::StatusOr<ModelProto*> Parse(const Buffer& file, const Limits& limits, google::protobuf::Arena& arena) {
  if (file.size == 0) return absl::InvalidArgumentError("the file is empty");
  if (file.size > limits.max_file_bytes) {
    return absl::ResourceExhaustedError(
        StrCat("its ", file.size, " bytes are more than the limit of ", limits.max_file_bytes));
  }
  if (file.size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("an ONNX file cannot pass 2 GiB; keep the weights in external data");
  }
  if (absl::Status status = ScanModel({file.data, file.size}, limits); !status.ok()) return status;
  auto* const model = google::protobuf::Arena::CreateMessage<ModelProto>(&arena);
  if (!model->ParseFromArray(file.data, static_cast<int>(file.size))) {
    return absl::InvalidArgumentError("not an ONNX file: its fields are not those of a ModelProto");
  }
  return model;
}

absl::StatusOr<int64_t> FindOpset(const ModelProto& model) {
  for (const auto& entry : model.opset_import()) {
    if (!entry.domain().empty() && entry.domain() != "ai.onnx") continue;
    if (entry.version() < kFirstOpset || entry.version() > kLastOpset) {
      return absl::UnimplementedError(StrCat("the model uses opset ", entry.version(), "; opsets ", kFirstOpset, " to ",
                                             kLastOpset, " are read: convert it with ONNX's version converter"));
    }
    return entry.version();
  }
  return absl::InvalidArgumentError("the model states no opset of the standard operators: is it an ONNX file?");
}

absl::Status CheckModel(const ModelProto& model) {
  if (!model.has_graph()) return absl::InvalidArgumentError("the model has no graph: is it an ONNX file?");
  if (model.training_info_size() > 0)
    return absl::UnimplementedError("training information (training_info) is not supported");
  if (model.functions_size() > 0) {
    return absl::UnimplementedError(StrCat("functions local to the model ('", model.functions(0).name(),
                                           "') are not supported: inline them with onnx.inliner"));
  }
  if (model.graph().sparse_initializer_size() > 0) {
    return AtValue(
        absl::UnimplementedError(StrCat("the sparse initializer '", model.graph().sparse_initializer(0).values().name(),
                                        "' is not supported: store it dense")),
        model.graph().sparse_initializer(0).values().name());
  }
  return absl::OkStatus();
}

std::string QualifiedOp(const NodeProto& node) {
  const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
  return standard ? node.op_type() : StrCat(node.domain(), "::", node.op_type());
}

// One error that lists every unsupported operator with some of its nodes.
absl::Status CheckOperators(const GraphProto& graph) {
  struct Group {
    size_t count = 0;
    std::vector<std::string> names;
  };
  std::map<std::string, Group> unsupported;
  for (const NodeProto& node : graph.node()) {
    if (FindImporter(node.domain(), node.op_type()) != nullptr) continue;
    Group& group = unsupported[QualifiedOp(node)];
    ++group.count;
    const std::string& name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
    if (group.names.size() < kListedNodes) group.names.push_back(StrCat("'", name, "'"));
  }
  if (unsupported.empty()) return absl::OkStatus();
  std::vector<std::string> lines;
  for (const auto& [op, group] : unsupported) {
    lines.push_back(StrCat(op, " (", group.count, group.count == 1 ? " node: " : " nodes: ",
                           absl::StrJoin(group.names, ", "), group.count > kListedNodes ? ", ..." : "", ")"));
  }
  return absl::UnimplementedError(StrCat("unsupported operators: ", absl::StrJoin(lines, ", ")));
}

absl::Status CheckName(std::string_view name, std::string_view what) {
  if (name.empty()) return absl::InvalidArgumentError(StrCat(what, " has no name"));
  if (!IsCleanUtf8(name)) return absl::InvalidArgumentError(StrCat("the name of ", what, " is not UTF-8 text"));
  return absl::OkStatus();
}

absl::Status CheckNodeNames(const GraphProto& graph) {
  for (int i = 0; i < graph.node_size(); ++i) {
    const NodeProto& node = graph.node(i);
    bool clean = IsCleanUtf8(node.name()) && IsCleanUtf8(node.op_type());
    for (const std::string& input : node.input()) clean = clean && IsCleanUtf8(input);
    bool any_output = false;
    for (const std::string& output : node.output()) {
      clean = clean && IsCleanUtf8(output);
      any_output = any_output || !output.empty();
    }
    if (!clean) return absl::InvalidArgumentError(StrCat("a name in node ", i, " is not UTF-8 text"));
    if (!any_output) {
      return AtNode(absl::InvalidArgumentError(StrCat(DescribeNode(node), " (number ", i, ") has no output")),
                    NodeName(node));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Shape> ReadShape(const onnx_schema::TypeProto::Tensor& type) {
  if (!type.has_shape()) return Shape();
  std::vector<Dim> dims;
  for (const auto& dim : type.shape().dim()) {
    if (dim.has_dim_param() && !dim.dim_param().empty()) {
      dims.push_back(Dim::Symbolic(dim.dim_param()));
    } else if (dim.has_dim_value()) {
      if (dim.dim_value() < 0) {
        return absl::InvalidArgumentError(StrCat("dimension ", dims.size(), " is ", dim.dim_value()));
      }
      dims.push_back(Dim(dim.dim_value()));
    } else {
      dims.push_back(Dim());
    }
  }
  return Shape(std::move(dims));
}

// Reads the nodes of a graph one after the other.
class GraphImporter {
 public:
  GraphImporter(GraphProto& proto, ImportState& state) : proto_(proto), state_(state) {}

  absl::Status Run() {
    state_.graph.name = IsCleanUtf8(proto_.name()) ? proto_.name() : std::string();
    if (absl::Status status = CheckNodeNames(proto_); !status.ok()) return status;
    if (absl::Status status = BindInitializers(); !status.ok()) return status;
    if (absl::Status status = BindInputs(); !status.ok()) return status;
    const absl::StatusOr<std::vector<int>> order = OrderNodes(proto_, given_);
    if (!order.ok()) return order.status();
    if (absl::Status status = BindNodeValues(); !status.ok()) return status;
    for (const int index : *order) {
      if (absl::Status status = ImportNode(*proto_.mutable_node(index)); !status.ok()) return status;
    }
    return SetOutputs();
  }

 private:
  absl::Status BindInitializers() {
    for (TensorProto& tensor : *proto_.mutable_initializer()) {
      if (absl::Status status = CheckName(tensor.name(), "an initializer"); !status.ok()) return status;
      const std::string what = StrCat("initializer '", tensor.name(), "'");
      if (!given_.insert(tensor.name()).second)
        return AtValue(absl::InvalidArgumentError(what + " is there twice"), tensor.name());
      absl::StatusOr<Tensor> value = ReadTensor(tensor, state_.external, state_.options.limits);
      if (!value.ok()) return AtValue(Prefixed(value.status(), what), tensor.name());
      Binding& binding = state_.bindings[tensor.name()];
      binding.type = value->type();
      binding.packed_bits = PackedBits(tensor.data_type());
      binding.tensor = *std::move(value);
    }
    return absl::OkStatus();
  }

  absl::Status BindInputs() {
    std::unordered_set<std::string_view> names;
    for (const ValueInfoProto& input : proto_.input()) {
      if (absl::Status status = CheckName(input.name(), "a graph input"); !status.ok()) return status;
      const std::string what = StrCat("graph input '", input.name(), "'");
      if (!names.insert(input.name()).second)
        return AtValue(absl::InvalidArgumentError(what + " is there twice"), input.name());
      if (!given_.insert(input.name()).second) continue;  // a default value: the initializer is taken as a constant
      if (!input.type().has_tensor_type()) {
        return AtValue(
            absl::UnimplementedError(what + " is not a tensor; sequences, maps and the like are not supported"),
            input.name());
      }
      const absl::StatusOr<ElementType> type = ElementTypeFromOnnx(input.type().tensor_type().elem_type());
      if (!type.ok()) return AtValue(Prefixed(type.status(), what), input.name());
      absl::StatusOr<Shape> shape = ReadShape(input.type().tensor_type());
      if (!shape.ok()) return AtValue(Prefixed(shape.status(), what), input.name());
      Binding& binding = state_.bindings[input.name()];
      binding.type = *type;
      if (shape->has_rank()) binding.rank = shape->rank();
      binding.id = state_.graph.AddInput(input.name(), *type, *std::move(shape));
    }
    return absl::OkStatus();
  }

  // Counts uses and takes over what the file says of the values between the nodes.
  absl::Status BindNodeValues() {
    for (const NodeProto& node : proto_.node()) {
      for (const std::string& output : node.output()) state_.bindings[output];
    }
    for (const NodeProto& node : proto_.node()) {
      for (const std::string& input : node.input()) ++state_.bindings[input].uses;
    }
    for (const ValueInfoProto& output : proto_.output()) {
      if (absl::Status status = CheckName(output.name(), "a graph output"); !status.ok()) return status;
      const auto found = state_.bindings.find(output.name());
      if (found == state_.bindings.end()) {
        return AtValue(absl::InvalidArgumentError(StrCat("graph output '", output.name(), "' is produced by nothing")),
                       output.name());
      }
      if (found->second.is_output) {
        return AtValue(absl::InvalidArgumentError(StrCat("graph output '", output.name(), "' is there twice")),
                       output.name());
      }
      found->second.is_output = true;
      ++found->second.uses;
    }
    if (proto_.output_size() == 0) return absl::InvalidArgumentError("the graph has no outputs");
    for (const ValueInfoProto& info : proto_.value_info()) {
      const auto found = state_.bindings.find(info.name());
      if (found == state_.bindings.end() || !info.type().tensor_type().has_shape()) continue;
      found->second.rank = info.type().tensor_type().shape().dim_size();
    }
    return absl::OkStatus();
  }

  absl::Status ImportNode(NodeProto& proto) {
    NodeReader reader(state_, proto);
    FindImporter(proto.domain(), proto.op_type())(reader);
    return reader.Finish();
  }

  absl::Status SetOutputs() {
    std::vector<ValueId> outputs;
    for (const ValueInfoProto& output : proto_.output()) {
      const absl::StatusOr<ValueId> value = state_.PlainValue(output.name());
      if (!value.ok()) return value.status();
      outputs.push_back(*value);
    }
    state_.graph.SetOutputs(std::move(outputs));
    return absl::OkStatus();
  }

  GraphProto& proto_;
  ImportState& state_;
  std::unordered_set<std::string_view> given_;
};

void TakeMetadata(const ModelProto& model, Graph& graph) {
  for (const auto& entry : model.metadata_props()) {
    if (IsCleanUtf8(entry.key()) && IsCleanUtf8(entry.value())) graph.metadata[entry.key()] = entry.value();
  }
  const std::string producer =
      StrCat(model.producer_name(), model.producer_version().empty() ? "" : " ", model.producer_version());
  // Our own files say who wrote them again; it is not news about the graph.
  if (model.producer_name() == "qlite" || producer.empty() || !IsCleanUtf8(producer)) return;
  graph.metadata.emplace("producer", producer);
}

absl::Status Complete(ImportState& state) {
  Graph& graph = state.graph;
  graph.RemoveUnusedValues();
  if (absl::Status status = graph.InferShapes(); !status.ok()) return status;
  if (!state.flattening_softmaxes.empty()) {
    if (absl::Status status = RewriteFlatteningSoftmaxes(graph, state.flattening_softmaxes); !status.ok())
      return status;
    if (absl::Status status = graph.InferShapes(); !status.ok()) return status;
  }
  if (state.options.fold_quantization) {
    if (absl::Status status = FoldQuantization(graph); !status.ok()) return status;
  }
  graph.Compact();
  return graph.Validate();
}

absl::StatusOr<Graph> Read(const Buffer& file, const std::string& model_path, const OnnxReadOptions& options) {
  google::protobuf::Arena arena;
  const absl::StatusOr<ModelProto*> model = Parse(file, options.limits, arena);
  if (!model.ok()) return model.status();
  if (absl::Status status = CheckModel(**model); !status.ok()) return status;
  const absl::StatusOr<int64_t> opset = FindOpset(**model);
  if (!opset.ok()) return opset.status();
  GraphProto& graph = *(*model)->mutable_graph();
  if (absl::Status status = CheckOperators(graph); !status.ok()) return status;

  ImportState state(model_path, options);
  state.opset = *opset;
  if (absl::Status status = GraphImporter(graph, state).Run(); !status.ok()) return status;
  TakeMetadata(**model, state.graph);
  if (absl::Status status = Complete(state); !status.ok()) return status;
  return std::move(state.graph);
}

}  // namespace
}  // namespace onnx

absl::StatusOr<Graph> ReadOnnx(const Buffer& file, const std::string& model_path, const OnnxReadOptions& options) {
  absl::StatusOr<Graph> graph = onnx::Read(file, model_path, options);
  if (graph.ok()) return graph;
  return Prefixed(graph.status(), model_path.empty() ? "ONNX model" : model_path);
}

}  // namespace qlite
