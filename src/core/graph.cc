#include "qlite/graph.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/error_site.h"
#include "core/op_rules.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

size_t LeadingPresent(std::span<const ValueId> inputs) {
  return static_cast<size_t>(std::find_if(inputs.begin(), inputs.end(), [](ValueId id) { return !id.valid(); }) -
                             inputs.begin());
}

void DropAbsentAtEnd(std::vector<ValueId>& inputs) {
  while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
}

}  // namespace

// --- building

std::string Graph::UniqueName(std::string_view wanted, bool of_node) {
  const auto taken = [&](std::string_view candidate) {
    return of_node ? node_names_.contains(candidate) : value_names_.contains(candidate);
  };
  if (!taken(wanted)) return std::string(wanted);
  // Where the search for this name stopped last time, so that many equal names stay linear.
  int64_t& suffix = next_suffix_[std::string(wanted)];
  std::string candidate;
  do {
    candidate = StrCat(wanted, "_", ++suffix);
  } while (taken(candidate));
  return candidate;
}

ValueId Graph::AddValue(std::string_view value_name) {
  const ValueId id{static_cast<int32_t>(values_.size())};
  Value value;
  value.name = UniqueName(value_name.empty() ? StrCat("value_", id.index) : std::string(value_name), false);
  value_names_[value.name] = id;
  values_.push_back(std::move(value));
  value_alive_.push_back(true);
  is_input_.push_back(false);
  consumers_.emplace_back();
  return id;
}

ValueId Graph::AddInput(std::string_view value_name, ElementType type, Shape shape) {
  const ValueId id = AddValue(value_name);
  mutable_value(id).type = type;
  mutable_value(id).shape = std::move(shape);
  inputs_.push_back(id);
  is_input_.back() = true;
  return id;
}

ValueId Graph::AddConstant(std::string_view value_name, Tensor tensor) {
  const ValueId id = AddValue(value_name);
  Value& value = mutable_value(id);
  value.type = tensor.type();
  value.shape = Shape::Of(tensor.dims());
  value.constant = std::move(tensor);
  return id;
}

absl::Status Graph::CheckNewNode(std::string_view node_name, OpType op, const OpAttrs& attrs,
                                 std::span<const ValueId> inputs, std::span<const ValueId> outputs,
                                 size_t output_count) const {
  if (absl::Status status = CheckSignature(node_name, op, attrs, inputs.size(), output_count, LeadingPresent(inputs));
      !status.ok()) {
    return status;
  }
  const auto error = [&](auto&&... what) {
    return AtNode(absl::InvalidArgumentError(StrCat("node '", node_name, "' (", OpName(op), "): ", what...)),
                  node_name);
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].valid() && !Exists(inputs[i])) return error("input ", i, " is a value that does not exist");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].valid()) continue;
    if (!Exists(outputs[i])) return error("output ", i, " is a value that does not exist");
    const Value& output = value(outputs[i]);
    const bool is_input = is_input_[static_cast<size_t>(outputs[i].index)];
    if (output.producer.valid()) {
      return AtValue(error("output '", output.name, "' is already produced by node '", node(output.producer).name, "'"),
                     output.name);
    }
    if (output.is_constant() || is_input) {
      return AtValue(error("output '", output.name, "' is ", is_input ? "an input of the graph" : "a constant"),
                     output.name);
    }
  }
  std::vector<ValueId> sorted(outputs.begin(), outputs.end());
  std::erase(sorted, ValueId());  // any number of outputs may be unused
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return AtValue(error("output '", value(*twice).name, "' is named twice"), value(*twice).name);
  return absl::OkStatus();
}

NodeId Graph::InsertNode(std::string_view node_name, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                         std::vector<ValueId> outputs) {
  const NodeId id{static_cast<int32_t>(nodes_.size())};
  Node node;
  node.name = UniqueName(node_name.empty() ? StrCat(OpName(op), "_", id.index) : std::string(node_name), true);
  node.op = op;
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node_names_[node.name] = id;
  for (const ValueId input : node.inputs) AddUse(input, id);
  for (const ValueId output : node.outputs) {
    if (output.valid()) mutable_value(output).producer = id;
  }
  nodes_.push_back(std::move(node));
  node_alive_.push_back(true);
  return id;
}

absl::StatusOr<NodeId> Graph::AddNode(std::string_view node_name, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                                      std::vector<ValueId> outputs) {
  DropAbsentAtEnd(inputs);
  if (absl::Status status = CheckNewNode(node_name, op, attrs, inputs, outputs, outputs.size()); !status.ok()) {
    return status;
  }
  return InsertNode(node_name, op, std::move(attrs), std::move(inputs), std::move(outputs));
}

absl::StatusOr<ValueId> Graph::AddNode(std::string_view node_name, OpType op, OpAttrs attrs,
                                       std::vector<ValueId> inputs, std::string_view output_name) {
  DropAbsentAtEnd(inputs);
  if (absl::Status status = CheckNewNode(node_name, op, attrs, inputs, {}, 1); !status.ok()) return status;
  const ValueId output = AddValue(output_name);
  InsertNode(node_name, op, std::move(attrs), std::move(inputs), {output});
  return output;
}

// --- reading

bool Graph::Exists(ValueId id) const {
  return id.valid() && static_cast<size_t>(id.index) < values_.size() && alive(id);
}

bool Graph::Exists(NodeId id) const { return id.valid() && static_cast<size_t>(id.index) < nodes_.size() && alive(id); }

bool Graph::IsOutput(ValueId id) const { return std::find(outputs_.begin(), outputs_.end(), id) != outputs_.end(); }

std::optional<ValueId> Graph::FindValue(std::string_view value_name) const {
  const auto found = value_names_.find(value_name);
  if (found == value_names_.end()) return std::nullopt;
  return found->second;
}

std::optional<NodeId> Graph::FindNode(std::string_view node_name) const {
  const auto found = node_names_.find(node_name);
  if (found == node_names_.end()) return std::nullopt;
  return found->second;
}

// Depth-first, so that a node stands right before the first of its consumers in the order of creation. A node is left
// out where a producer is still open (it depends on itself) or was left out.
std::vector<NodeId> Graph::TopologicalOrder() const {
  enum class Mark : char { kNew, kOpen, kDone, kLeftOut };
  struct Frame {
    NodeId node;
    size_t next_input = 0;
    bool left_out = false;
  };
  std::vector<Mark> marks(nodes_.size(), Mark::kNew);
  std::vector<NodeId> order;
  std::vector<Frame> stack;
  const auto open = [&](NodeId id) {
    marks[static_cast<size_t>(id.index)] = Mark::kOpen;
    stack.push_back({id});
  };
  for (size_t root = 0; root < nodes_.size(); ++root) {
    if (!node_alive_[root] || marks[root] != Mark::kNew) continue;
    open(NodeId{static_cast<int32_t>(root)});
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const std::vector<ValueId>& inputs = node(frame.node).inputs;
      if (frame.next_input == inputs.size()) {
        const Frame done = frame;
        stack.pop_back();
        marks[static_cast<size_t>(done.node.index)] = done.left_out ? Mark::kLeftOut : Mark::kDone;
        if (!done.left_out) order.push_back(done.node);
        continue;
      }
      const ValueId input = inputs[frame.next_input];
      const NodeId producer = Exists(input) ? value(input).producer : NodeId();
      const Mark mark = Exists(producer) ? marks[static_cast<size_t>(producer.index)] : Mark::kDone;
      if (mark == Mark::kNew) {
        open(producer);  // and look at this input again afterwards
        continue;
      }
      frame.left_out |= mark != Mark::kDone;
      ++frame.next_input;
    }
  }
  return order;
}

// --- rewriting

void Graph::AddUse(ValueId value, NodeId node) {
  if (!value.valid()) return;
  std::vector<NodeId>& users = consumers_[static_cast<size_t>(value.index)];
  const auto at = std::lower_bound(users.begin(), users.end(), node);
  if (at == users.end() || *at != node) users.insert(at, node);
}

void Graph::RemoveUse(ValueId value, NodeId node) {
  if (!value.valid()) return;
  const std::vector<ValueId>& inputs = nodes_[static_cast<size_t>(node.index)].inputs;
  if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) return;  // still read through another input
  std::vector<NodeId>& users = consumers_[static_cast<size_t>(value.index)];
  const auto at = std::lower_bound(users.begin(), users.end(), node);
  if (at != users.end() && *at == node) users.erase(at);
}

void Graph::SetInput(NodeId node, size_t index, ValueId value) {
  QLITE_CHECK(Exists(node) && (!value.valid() || Exists(value)), "SetInput of a node or value that does not exist");
  std::vector<ValueId>& inputs = mutable_node(node).inputs;
  if (index >= inputs.size()) inputs.resize(index + 1);
  const ValueId before = std::exchange(inputs[index], value);
  DropAbsentAtEnd(inputs);
  RemoveUse(before, node);
  AddUse(value, node);
}

void Graph::ReplaceUses(ValueId from, ValueId to) {
  QLITE_CHECK(Exists(from) && Exists(to), "ReplaceUses of a value that does not exist");
  if (from == to) return;
  const std::vector<NodeId> users = std::move(consumers_[static_cast<size_t>(from.index)]);
  consumers_[static_cast<size_t>(from.index)].clear();
  for (const NodeId user : users) {
    std::replace(mutable_node(user).inputs.begin(), mutable_node(user).inputs.end(), from, to);
    AddUse(to, user);
  }
  std::replace(outputs_.begin(), outputs_.end(), from, to);
}

void Graph::RemoveValue(ValueId id) {
  Value& value = mutable_value(id);
  if (const auto found = value_names_.find(value.name); found != value_names_.end() && found->second == id) {
    value_names_.erase(found);
  }
  value = Value();
  value_alive_[static_cast<size_t>(id.index)] = false;
}

void Graph::RemoveNode(NodeId id) {
  QLITE_CHECK(Exists(id), "RemoveNode of a node that does not exist");
  Node& node = mutable_node(id);
  for (const ValueId output : node.outputs) {
    if (!output.valid()) continue;
    QLITE_CHECK(Consumers(output).empty() && !IsOutput(output), "RemoveNode of a node whose results are in use");
  }
  const std::vector<ValueId> inputs = std::exchange(node.inputs, {});
  for (const ValueId input : inputs) RemoveUse(input, id);
  for (const ValueId output : node.outputs) {
    if (output.valid()) RemoveValue(output);
  }
  if (const auto found = node_names_.find(node.name); found != node_names_.end() && found->second == id) {
    node_names_.erase(found);
  }
  node = Node();
  node_alive_[static_cast<size_t>(id.index)] = false;
}

ValueId Graph::DetachOutput(NodeId node, size_t index, std::string_view new_value_name) {
  QLITE_CHECK(Exists(node) && index < this->node(node).outputs.size() && this->node(node).outputs[index].valid(),
              "DetachOutput of an output that does not exist");
  const ValueId before = this->node(node).outputs[index];
  const ValueId after = AddValue(new_value_name);
  Value& fresh = mutable_value(after);
  fresh.type = value(before).type;
  fresh.shape = value(before).shape;
  fresh.quant = value(before).quant;
  fresh.producer = node;
  mutable_value(before).producer = NodeId();
  mutable_node(node).outputs[index] = after;
  return after;
}

void Graph::RenameValue(ValueId id, std::string_view new_name) {
  QLITE_CHECK(Exists(id), "RenameValue of a value that does not exist");
  if (value(id).name == new_name) return;
  value_names_.erase(value(id).name);
  std::string unique = UniqueName(new_name.empty() ? StrCat("value_", id.index) : std::string(new_name), false);
  value_names_[unique] = id;
  mutable_value(id).name = std::move(unique);
}

void Graph::RenameNode(NodeId id, std::string_view new_name) {
  QLITE_CHECK(Exists(id), "RenameNode of a node that does not exist");
  if (node(id).name == new_name) return;
  node_names_.erase(node(id).name);
  std::string unique =
      UniqueName(new_name.empty() ? StrCat(OpName(node(id).op), "_", id.index) : std::string(new_name), true);
  node_names_[unique] = id;
  mutable_node(id).name = std::move(unique);
}

void Graph::RemoveUnusedValues() {
  std::vector<char> kept(values_.size(), false);
  for (const ValueId id : inputs_) kept[static_cast<size_t>(id.index)] = true;
  for (const ValueId id : outputs_) kept[static_cast<size_t>(id.index)] = true;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (value_alive_[i] && !kept[i] && consumers_[i].empty() && !values_[i].producer.valid()) {
      RemoveValue(ValueId{static_cast<int32_t>(i)});
    }
  }
}

void Graph::Compact() {
  std::vector<NodeId> order = TopologicalOrder();
  std::vector<char> ordered(nodes_.size(), false);
  for (const NodeId id : order) ordered[static_cast<size_t>(id.index)] = true;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (node_alive_[i] && !ordered[i]) order.push_back(NodeId{static_cast<int32_t>(i)});
  }
  std::vector<ValueId> renumbered(values_.size());
  std::vector<Value> new_values;
  const auto take = [&](ValueId id) {
    ValueId& target = renumbered[static_cast<size_t>(id.index)];
    if (target.valid()) return;
    target = ValueId{static_cast<int32_t>(new_values.size())};
    new_values.push_back(std::move(values_[static_cast<size_t>(id.index)]));
  };
  // Inputs first, then every value where the nodes first mention it: the numbers tell nothing of the graph's past.
  for (const ValueId id : inputs_) take(id);
  for (const NodeId id : order) {
    for (const std::vector<ValueId>* ids : {&node(id).inputs, &node(id).outputs}) {
      for (const ValueId value : *ids) {
        if (value.valid()) take(value);
      }
    }
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    if (value_alive_[i]) take(ValueId{static_cast<int32_t>(i)});
  }
  std::vector<Node> new_nodes;
  for (const NodeId id : order) new_nodes.push_back(std::move(mutable_node(id)));
  Adopt(std::move(new_values), std::move(new_nodes), renumbered);
}

void Graph::Adopt(std::vector<Value> values, std::vector<Node> nodes, std::span<const ValueId> renumbered) {
  const auto translate = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) id = id.valid() ? renumbered[static_cast<size_t>(id.index)] : id;
  };
  values_ = std::move(values);
  nodes_ = std::move(nodes);
  value_alive_.assign(values_.size(), true);
  node_alive_.assign(nodes_.size(), true);
  consumers_.assign(values_.size(), {});
  value_names_.clear();
  node_names_.clear();
  next_suffix_.clear();
  translate(inputs_);
  translate(outputs_);
  is_input_.assign(values_.size(), false);
  for (const ValueId id : inputs_) is_input_[static_cast<size_t>(id.index)] = true;
  for (size_t i = 0; i < values_.size(); ++i) {
    values_[i].producer = NodeId();
    value_names_[values_[i].name] = ValueId{static_cast<int32_t>(i)};
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    translate(nodes_[i].inputs);
    translate(nodes_[i].outputs);
    node_names_[nodes_[i].name] = id;
    for (const ValueId input : nodes_[i].inputs) AddUse(input, id);
    for (const ValueId output : nodes_[i].outputs) {
      if (output.valid()) mutable_value(output).producer = id;
    }
  }
}

}  // namespace qlite
