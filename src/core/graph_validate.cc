#include <algorithm>
#include <string>
#include <unordered_set>

#include "absl/strings/str_join.h"
#include "core/checked_math.h"
#include "core/error_site.h"
#include "core/infer_context.h"
#include "core/op_rules.h"
#include "core/shape_util.h"
#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite {
namespace {

absl::Status ValueError(const Value& value, std::string_view what) {
  return AtValue(absl::InvalidArgumentError(StrCat("value '", value.name, "': ", what)), value.name);
}

absl::Status NodeError(const Node& node, std::string_view what) {
  return AtNode(absl::InvalidArgumentError(StrCat("node '", node.name, "' (", OpName(node.op), "): ", what)),
                node.name);
}

// Blocks keep one pair for every run along the axis at every position of the other dimensions.
absl::Status CheckQuantLength(const Value& value) {
  const QuantParams& quant = *value.quant;
  if (!quant.per_axis() || !value.shape.has_rank()) return absl::OkStatus();
  if (quant.axis >= value.shape.rank()) {
    return ValueError(
        value, StrCat("quantization axis ", quant.axis, " is not a dimension of shape ", value.shape.ToString()));
  }
  std::vector<int64_t> counted;
  for (int64_t i = 0; i < value.shape.rank(); ++i) {
    const Dim& dim = value.shape.dim(i);
    if (i != quant.axis && quant.block_size == 0) continue;
    if (!dim.known()) return absl::OkStatus();
    counted.push_back(i == quant.axis && quant.block_size > 0 ? CeilDiv(dim.value, quant.block_size) : dim.value);
  }
  const absl::StatusOr<int64_t> expected = ElementCount(counted);
  if (!expected.ok()) return ValueError(value, Message(expected.status()));
  if (static_cast<size_t>(*expected) == quant.scales.size()) return absl::OkStatus();
  return ValueError(value, StrCat("expected ", *expected, " quantization scales along axis ", quant.axis, " of shape ",
                                  value.shape.ToString(), ", found ", quant.scales.size()));
}

absl::Status CheckConstant(const Value& value) {
  const Tensor& tensor = *value.constant;
  if (value.type != tensor.type() || value.shape != Shape::Of(tensor.dims())) {
    return ValueError(
        value, StrCat("is declared as ", ElementTypeName(value.type), value.shape.ToString(), ", but its constant is ",
                      ElementTypeName(tensor.type()), "[", absl::StrJoin(tensor.dims(), ","), "]"));
  }
  return absl::OkStatus();
}

absl::Status CheckExtents(const Value& value) {
  constexpr size_t kMaxSymbol = 256;  // symbols are copied along with shapes
  if (value.shape.rank() > kMaxRank) {
    return ValueError(value, StrCat("expected at most ", kMaxRank, " dimensions, found ", value.shape.rank()));
  }
  std::vector<int64_t> known;
  for (const Dim& dim : value.shape.dims()) {
    if (!dim.known() && dim.value != Dim::kUnknown) {
      return ValueError(value, StrCat("holds the negative extent ", dim.value));
    }
    if (dim.symbol.size() > kMaxSymbol) {
      return ValueError(value, StrCat("names a dimension with more than ", kMaxSymbol, " characters"));
    }
    known.push_back(dim.known() ? dim.value : 1);
  }
  const absl::Status status = ElementCount(known, ElementSize(value.type)).status();
  return status.ok() ? status : ValueError(value, Message(status));
}

}  // namespace

absl::Status Graph::ValidateValue(ValueId id, int64_t times_listed) const {
  const Value& value = this->value(id);
  if (value.name.empty()) return ValueError(value, "has no name");
  if (FindValue(value.name) != id) return ValueError(value, "shares its name or was not renamed by RenameValue");
  if (value.producer.valid()) {
    // ValidateNode checks that who lists it is its producer.
    if (times_listed != 1) return ValueError(value, "its producer does not list it once among its outputs");
    if (value.is_constant()) return ValueError(value, "is a constant and the result of a node");
  }
  QLITE_RETURN_IF_ERROR(CheckExtents(value));
  if (value.is_constant()) QLITE_RETURN_IF_ERROR(CheckConstant(value));
  if (value.quant) {
    if (absl::Status status = value.quant->Validate(); !status.ok()) return ValueError(value, Message(status));
    QLITE_RETURN_IF_ERROR(CheckQuantLength(value));
  }
  return absl::OkStatus();
}

absl::Status Graph::ValidateNode(NodeId id) const {
  const Node& node = this->node(id);
  const size_t leading = static_cast<size_t>(
      std::find_if(node.inputs.begin(), node.inputs.end(), [](ValueId input) { return !input.valid(); }) -
      node.inputs.begin());
  QLITE_RETURN_IF_ERROR(
      CheckSignature(node.name, node.op, node.attrs, node.inputs.size(), node.outputs.size(), leading));
  if (node.name.empty()) return NodeError(node, "has no name");
  if (FindNode(node.name) != id) return NodeError(node, "shares its name or was not renamed by RenameNode");
  if (!node.inputs.empty() && !node.inputs.back().valid()) return NodeError(node, "its last input is absent");
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    if (!input.valid()) continue;
    if (!Exists(input)) return NodeError(node, StrCat("input ", i, " is a value that does not exist"));
    const std::span<const NodeId> users = Consumers(input);
    if (!std::binary_search(users.begin(), users.end(), id)) {
      return NodeError(node, StrCat("input ", i, " was changed other than by SetInput"));
    }
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].valid()) continue;
    if (!Exists(node.outputs[i])) return NodeError(node, StrCat("output ", i, " is a value that does not exist"));
    if (value(node.outputs[i]).producer != id) {
      const std::string& output = value(node.outputs[i]).name;
      return AtValue(NodeError(node, StrCat("output '", output, "' has another producer")), output);
    }
  }
  return absl::OkStatus();
}

absl::Status Graph::ValidateBorder() const {
  std::unordered_set<ValueId> sources;
  for (const ValueId id : inputs_) {
    if (!Exists(id)) return absl::InvalidArgumentError("an input of the graph is a value that does not exist");
    if (!sources.insert(id).second) return ValueError(value(id), "is an input of the graph twice");
    if (value(id).producer.valid() || value(id).is_constant()) {
      return ValueError(value(id), "is an input of the graph and also a constant or the result of a node");
    }
  }
  const auto available = [&](ValueId id) {
    return value(id).producer.valid() || value(id).is_constant() || sources.contains(id);
  };
  for (const ValueId id : outputs_) {
    if (!Exists(id)) return absl::InvalidArgumentError("an output of the graph is a value that does not exist");
    if (!available(id)) return ValueError(value(id), "is an output of the graph, but nothing produces it");
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!value_alive_[i]) continue;
    if (!consumers_[i].empty() && !available(id)) {
      return ValueError(values_[i],
                        StrCat("is read by node '", node(consumers_[i].front()).name, "', but nothing produces it"));
    }
    for (const NodeId user : consumers_[i]) {
      if (!Exists(user) ||
          std::find(node(user).inputs.begin(), node(user).inputs.end(), id) == node(user).inputs.end()) {
        return ValueError(values_[i], "its list of uses names a node that does not read it");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Graph::ValidateOrder() const {
  const std::vector<NodeId> order = TopologicalOrder();
  const auto live = static_cast<size_t>(std::count(node_alive_.begin(), node_alive_.end(), true));
  if (order.size() == live) return absl::OkStatus();
  std::vector<char> ordered(nodes_.size(), false);
  for (const NodeId id : order) ordered[static_cast<size_t>(id.index)] = true;
  const auto left_out = [&](NodeId id) { return Exists(id) && !ordered[static_cast<size_t>(id.index)]; };
  // Every node left out has a producer left out: following those ends up on a cycle.
  NodeId at;
  for (size_t i = 0; i < nodes_.size() && !at.valid(); ++i) {
    if (left_out(NodeId{static_cast<int32_t>(i)})) at = NodeId{static_cast<int32_t>(i)};
  }
  std::vector<NodeId> path;
  std::vector<char> seen(nodes_.size(), false);
  while (!seen[static_cast<size_t>(at.index)]) {
    seen[static_cast<size_t>(at.index)] = true;
    path.push_back(at);
    for (const ValueId input : node(at).inputs) {
      if (input.valid() && left_out(value(input).producer)) {
        at = value(input).producer;
        break;
      }
    }
  }
  std::vector<NodeId> cycle(std::find(path.begin(), path.end(), at), path.end());
  std::reverse(cycle.begin(), cycle.end());
  constexpr size_t kNamed = 8;
  const std::string more = cycle.size() > kNamed ? StrCat(" and ", cycle.size() - kNamed, " more") : "";
  cycle.resize(std::min(cycle.size(), kNamed));
  return absl::InvalidArgumentError(StrCat(
      "nodes depend on themselves: ",
      absl::StrJoin(cycle, " -> ", [&](std::string* out, NodeId id) { StrAppend(out, "'", node(id).name, "'"); }),
      more));
}

absl::Status Graph::Validate() const {
  std::vector<int64_t> times_listed(values_.size(), 0);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (const ValueId output :
         node_alive_[i] ? std::span<const ValueId>(nodes_[i].outputs) : std::span<const ValueId>()) {
      if (Exists(output)) ++times_listed[static_cast<size_t>(output.index)];
    }
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (value_alive_[i]) QLITE_RETURN_IF_ERROR(ValidateValue(ValueId{static_cast<int32_t>(i)}, times_listed[i]));
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (node_alive_[i]) QLITE_RETURN_IF_ERROR(ValidateNode(NodeId{static_cast<int32_t>(i)}));
  }
  QLITE_RETURN_IF_ERROR(ValidateBorder());
  return ValidateOrder();
}

}  // namespace qlite
