#include "formats/onnx/graph_importer.h"

#include <map>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_join.h"
#include "core/error_site.h"
#include "core/mapped_file.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "formats/onnx/importers.h"
#include "formats/onnx/node_order.h"
#include "formats/onnx/onnx_tensor.h"
#include "formats/onnx/utf8.h"

namespace qlite::onnx {
namespace {

using onnx_schema::GraphProto;
using onnx_schema::NodeProto;
using onnx_schema::TensorProto;
using onnx_schema::ValueInfoProto;
using Names = std::unordered_set<std::string_view>;

// Operators with the names of this many nodes each are listed; more would not help.
constexpr size_t kListedNodes = 3;

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

absl::Status ImportNode(NodeProto& proto, ImportState& state) {
  NodeReader reader(state, proto);
  FindImporter(proto.domain(), proto.op_type())(reader);
  return reader.Finish();
}

absl::Status BindInitializers(GraphProto& proto, ImportState& state, Scope& scope, Names& given) {
  for (TensorProto& tensor : *proto.mutable_initializer()) {
    QLITE_RETURN_IF_ERROR(CheckName(tensor.name(), "an initializer"));
    const std::string what = StrCat("initializer '", tensor.name(), "'");
    if (!given.insert(tensor.name()).second) {
      return AtValue(absl::InvalidArgumentError(what + " is there twice"), tensor.name());
    }
    const auto in_file = state.data_in_file.find(&tensor);
    const Buffer* data = in_file == state.data_in_file.end() ? nullptr : &in_file->second;
    absl::StatusOr<Tensor> value = ReadTensor(tensor, state.external, state.options.limits, data);
    if (data != nullptr) ReleasePages(*data);
    if (!value.ok()) return AtValue(Prefixed(value.status(), what), tensor.name());
    Binding& binding = scope.bindings[tensor.name()];
    binding.type = value->type();
    binding.packed_bits = PackedBits(tensor.data_type());
    binding.tensor = *std::move(value);
  }
  return absl::OkStatus();
}

// Binds what the nodes of these indices make, and counts the uses of it.
void DeclareNodeValues(const GraphProto& proto, const std::vector<int>& nodes, Scope& scope) {
  for (const int index : nodes) {
    for (const std::string& output : proto.node(index).output()) scope.bindings[output];
  }
  const auto count_use = [&](std::string_view name) {
    if (const auto found = scope.bindings.find(name); found != scope.bindings.end()) ++found->second.uses;
  };
  for (const NodeProto& node : proto.node()) ForEachRead(node, count_use);
  for (const ValueInfoProto& output : proto.output()) count_use(output.name());
}

// The model's own graph.
class ModelGraphImporter {
 public:
  ModelGraphImporter(GraphProto& proto, ImportState& state) : proto_(proto), state_(state) {}

  absl::Status Run() {
    state_.graph.name = IsCleanUtf8(proto_.name()) ? proto_.name() : std::string();
    QLITE_RETURN_IF_ERROR(CheckOperators(proto_));
    QLITE_RETURN_IF_ERROR(CheckNodeNames(proto_));
    QLITE_RETURN_IF_ERROR(BindInitializers(proto_, state_, state_.model_scope, given_));
    QLITE_RETURN_IF_ERROR(BindInputs());
    const absl::StatusOr<std::vector<int>> order = OrderNodes(proto_, given_);
    if (!order.ok()) return order.status();
    DeclareNodeValues(proto_, *order, state_.model_scope);
    QLITE_RETURN_IF_ERROR(DeclareOutputs());
    TakeRanks();
    for (const int index : *order) QLITE_RETURN_IF_ERROR(ImportNode(*proto_.mutable_node(index), state_));
    return SetOutputs();
  }

 private:
  absl::Status BindInputs() {
    Names names;
    for (const ValueInfoProto& input : proto_.input()) {
      QLITE_RETURN_IF_ERROR(CheckName(input.name(), "a graph input"));
      const std::string what = StrCat("graph input '", input.name(), "'");
      if (!names.insert(input.name()).second) {
        return AtValue(absl::InvalidArgumentError(what + " is there twice"), input.name());
      }
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
      Binding& binding = state_.model_scope.bindings[input.name()];
      binding.type = *type;
      if (shape->has_rank()) binding.rank = shape->rank();
      binding.id = state_.graph.AddInput(input.name(), *type, *std::move(shape));
    }
    // There are no nodes yet: this gives the inputs the extents that the caller fixes, and symbols their values.
    return state_.graph.InferShapes(state_.options.input_shapes);
  }

  absl::Status DeclareOutputs() {
    for (const ValueInfoProto& output : proto_.output()) {
      QLITE_RETURN_IF_ERROR(CheckName(output.name(), "a graph output"));
      const auto found = state_.model_scope.bindings.find(output.name());
      if (found == state_.model_scope.bindings.end()) {
        return AtValue(absl::InvalidArgumentError(StrCat("graph output '", output.name(), "' is produced by nothing")),
                       output.name());
      }
      if (found->second.is_output) {
        return AtValue(absl::InvalidArgumentError(StrCat("graph output '", output.name(), "' is there twice")),
                       output.name());
      }
      found->second.is_output = true;
    }
    if (proto_.output_size() == 0) return absl::InvalidArgumentError("the graph has no outputs");
    return absl::OkStatus();
  }

  // What the file says of the values between the nodes.
  void TakeRanks() {
    for (const ValueInfoProto& info : proto_.value_info()) {
      const auto found = state_.model_scope.bindings.find(info.name());
      if (found == state_.model_scope.bindings.end() || !info.type().tensor_type().has_shape()) continue;
      found->second.rank = info.type().tensor_type().shape().dim_size();
    }
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
  Names given_;
};

// Makes a scope the current one for its own lifetime.
class EnterScope {
 public:
  EnterScope(ImportState& state, Scope& scope) : state_(state), previous_(std::exchange(state.scope, &scope)) {}
  ~EnterScope() { state_.scope = previous_; }
  EnterScope(const EnterScope&) = delete;
  EnterScope& operator=(const EnterScope&) = delete;

 private:
  ImportState& state_;
  Scope* previous_;
};

bool IsConstantNode(const NodeProto& node) { return node.op_type() == "Constant" && node.domain().empty(); }

}  // namespace

absl::Status ImportModelGraph(GraphProto& proto, ImportState& state) { return ModelGraphImporter(proto, state).Run(); }

absl::Status Subgraph::Prepare() {
  QLITE_RETURN_IF_ERROR(CheckOperators(proto_));
  QLITE_RETURN_IF_ERROR(CheckNodeNames(proto_));
  if (proto_.sparse_initializer_size() > 0) {
    return absl::UnimplementedError("sparse initializers are not supported: store them dense");
  }
  constants_.outer = state_.scope;
  constants_.suffix = state_.scope->suffix;
  Names given;
  QLITE_RETURN_IF_ERROR(BindInitializers(proto_, state_, constants_, given));
  for (const ValueInfoProto& input : proto_.input()) {
    QLITE_RETURN_IF_ERROR(CheckName(input.name(), "an input of a subgraph"));
    if (!given.insert(input.name()).second) {
      return absl::InvalidArgumentError(StrCat("subgraph input '", input.name(), "' is there twice"));
    }
  }
  Names made;
  for (const NodeProto& node : proto_.node()) made.insert(node.output().begin(), node.output().end());
  const auto capture = [&](std::string_view name) {
    if (made.count(name) == 0 && state_.Find(name) != nullptr) given.insert(name);
  };
  for (const NodeProto& node : proto_.node()) ForEachRead(node, capture);
  absl::StatusOr<std::vector<int>> order = OrderNodes(proto_, given);
  if (!order.ok()) return order.status();
  order_ = *std::move(order);
  return ReadConstants();
}

absl::Status Subgraph::ReadConstants() {
  const EnterScope enter(state_, constants_);
  std::vector<int> others;
  for (const int index : order_) {
    NodeProto& node = *proto_.mutable_node(index);
    if (!IsConstantNode(node)) {
      others.push_back(index);
      continue;
    }
    for (const std::string& output : node.output()) constants_.bindings[output];
    QLITE_RETURN_IF_ERROR(ImportNode(node, state_));
  }
  order_ = std::move(others);
  return absl::OkStatus();
}

absl::Status Subgraph::ReadNodes() {
  for (const int index : order_) {
    NodeProto node = proto_.node(index);  // a copy: reading a node takes data out of it
    QLITE_RETURN_IF_ERROR(ImportNode(node, state_));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Binding>> Subgraph::Import(std::vector<Binding> inputs, const std::string& suffix) {
  QLITE_RETURN_IF_ERROR(state_.ChargeRepeatedNode(0));
  for (const int index : order_) QLITE_RETURN_IF_ERROR(state_.ChargeRepeatedNode(proto_.node(index).ByteSizeLong()));
  Scope pass;
  pass.outer = &constants_;
  pass.suffix = StrCat(constants_.suffix, suffix);
  for (int i = 0; i < proto_.input_size(); ++i) {
    pass.bindings[proto_.input(i).name()] = std::move(inputs[static_cast<size_t>(i)]);
  }
  DeclareNodeValues(proto_, order_, pass);
  const EnterScope enter(state_, pass);
  QLITE_RETURN_IF_ERROR(ReadNodes());
  std::vector<Binding> outputs;
  for (const ValueInfoProto& output : proto_.output()) {
    const Binding* const found = state_.Find(output.name());
    if (found == nullptr) {
      return AtValue(absl::InvalidArgumentError(StrCat("subgraph output '", output.name(), "' is produced by nothing")),
                     output.name());
    }
    outputs.push_back(*found);
  }
  return outputs;
}

}  // namespace qlite::onnx
