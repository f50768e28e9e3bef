// A trained network as the model file says it: a graph of operators over named values, in SSA form.
//
// Values are inputs, constants or results of one node. Layout is the model's (an NCHW model stays NCHW) and names
// survive a round trip; packing and fusion for speed are the Session's business. An integer value carries QuantParams,
// and Quantize and Dequantize nodes stand at the borders of an integer region.
//
// In a quantized graph Conv, ConvTranspose, Gemm and MatMul take int8 activations (inputs with type kInt8 and per-value
// QuantParams), int8 weights, an int32 bias whose scale is scale(input) * scale(weight channel) and whose zero point is
// 0, and give an int8 result, or a float32 one (the accumulator times its scale). The exact arithmetic is in
// docs/numerics.md.
//
// A Graph is a value: copying shares the constants' memory. Const functions are safe from any thread.
#ifndef QLITE_GRAPH_H_
#define QLITE_GRAPH_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/ops.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"
#include "qlite/types.h"

namespace qlite {

struct Value {
  std::string name;                            // unique within the graph
  ElementType type = ElementType::kUndefined;  // kUndefined until InferShapes
  Shape shape;
  std::optional<Tensor> constant;
  std::optional<QuantParams> quant;
  NodeId producer;  // invalid for inputs and constants

  bool is_constant() const { return constant.has_value(); }
};

struct Node {
  std::string name;  // unique within the graph, never empty
  OpType op = OpType::kIdentity;
  OpAttrs attrs;
  std::vector<ValueId> inputs;   // an absent optional input is an invalid id; none at the end
  std::vector<ValueId> outputs;  // an unused optional output is an invalid id
  bool has_input(size_t i) const { return i < inputs.size() && inputs[i].valid(); }

  // The attributes as their struct; A must be the operator's (checked, aborts).
  template <class A>
  const A& attr() const {
    return std::get<A>(attrs);
  }
  template <class A>
  A& attr() {
    return std::get<A>(attrs);
  }
};

class Graph {
 public:
  std::string name;
  // Free text that a reader found or a writer adds: producer, manifest. Ordered, so that files do not depend on
  // hashing.
  std::map<std::string, std::string> metadata;

  // --- building. Names are made unique by a numeric suffix where taken; an empty node name becomes "<op>_<index>".
  ValueId AddInput(std::string_view value_name, ElementType type, Shape shape);
  ValueId AddConstant(std::string_view value_name, Tensor tensor);
  // A value without producer yet; pass it to AddNode as an output.
  ValueId AddValue(std::string_view value_name);
  // `outputs` must have no producer (kInvalidArgument). Checks arity and that attrs is the operator's struct.
  absl::StatusOr<NodeId> AddNode(std::string_view node_name, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                                 std::vector<ValueId> outputs);
  // As above with one new output value, whose id is returned.
  absl::StatusOr<ValueId> AddNode(std::string_view node_name, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                                  std::string_view output_name);
  void SetOutputs(std::vector<ValueId> outputs) { outputs_ = std::move(outputs); }

  // --- reading. Ids stay valid until Compact(); an id of a removed part must not be used.
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id.index)]; }
  Value& mutable_value(ValueId id) { return values_[static_cast<size_t>(id.index)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id.index)]; }
  // Attributes and operator may be changed freely; names through RenameNode and RenameValue, inputs through SetInput,
  // outputs through DetachOutput.
  Node& mutable_node(NodeId id) { return nodes_[static_cast<size_t>(id.index)]; }
  std::span<const ValueId> inputs() const { return inputs_; }
  std::span<const ValueId> outputs() const { return outputs_; }
  // Upper bounds of ids, removed parts included.
  size_t value_slots() const { return values_.size(); }
  size_t node_slots() const { return nodes_.size(); }
  bool alive(NodeId id) const { return node_alive_[static_cast<size_t>(id.index)]; }
  bool alive(ValueId id) const { return value_alive_[static_cast<size_t>(id.index)]; }
  // Live nodes, every one after the producers of its inputs; otherwise in the order of creation. O(nodes + edges).
  // Nodes on a cycle are left out (Validate names them).
  std::vector<NodeId> TopologicalOrder() const;
  // Live nodes that read the value, each once, in the order of creation. O(1) amortised: the graph keeps use lists.
  std::span<const NodeId> Consumers(ValueId id) const { return consumers_[static_cast<size_t>(id.index)]; }
  bool IsOutput(ValueId id) const;
  std::optional<ValueId> FindValue(std::string_view value_name) const;
  std::optional<NodeId> FindNode(std::string_view node_name) const;

  // --- rewriting
  void SetInput(NodeId node, size_t index, ValueId value);  // grows the input list; keeps use lists right
  // Every consumer and graph output that reads `from` reads `to` instead.
  void ReplaceUses(ValueId from, ValueId to);
  // Removes the node and its outputs, which must have no use left (checked, aborts).
  void RemoveNode(NodeId id);
  // Gives output `index` of the node to a new value of the same type, shape and quantization, which is returned. The
  // value that was the output keeps its name and its uses and is produced by nothing, ready for AddNode. For inserting
  // behind a node.
  ValueId DetachOutput(NodeId node, size_t index, std::string_view new_value_name);
  // A name that is taken gets a numeric suffix.
  void RenameValue(ValueId id, std::string_view new_name);
  void RenameNode(NodeId id, std::string_view new_name);
  // Removes constants, and values without producer, that nothing reads. Graph inputs and outputs stay.
  void RemoveUnusedValues();
  // Renumbers without gaps: nodes in topological order (those on a cycle last), values as inputs and nodes first
  // mention them. All ids change.
  void Compact();

  // --- checking
  // Every id in range, one producer a value, names unique, arity and attribute struct right for the operator, no cycle,
  // outputs produced, constants' extents and sizes right, quantization parameters valid and as long as their axis.
  // The first error names the node or value.
  absl::Status Validate() const;
  // Fills in type and shape of every value from the inputs on, symbolic dimensions included, and follows shapes
  // computed by small integer subgraphs (Shape, Gather, Concat ... -> Reshape). An inconsistency is an error naming
  // the node, what was expected and what was found. `input_shapes` fixes shapes of graph inputs by name first; symbols
  // of those shapes are replaced in all inputs. Validates first; after an error the shapes set so far remain.
  // Attributes that follow from shapes are completed: kernel_shape, and pads in place of auto_pad.
  absl::Status InferShapes(const std::map<std::string, std::vector<int64_t>>& input_shapes = {});

  // One line a node: "%out: float32[N,8,14,14] = Conv(%x, %w) {group=1, ...}  # name"
  std::string Dump() const;
  // The same as a Graphviz digraph.
  std::string DumpDot() const;

 private:
  std::string UniqueName(std::string_view wanted, bool of_node);
  bool Exists(ValueId id) const;
  bool Exists(NodeId id) const;
  absl::Status CheckNewNode(std::string_view node_name, OpType op, const OpAttrs& attrs,
                            std::span<const ValueId> inputs, std::span<const ValueId> outputs,
                            size_t output_count) const;
  NodeId InsertNode(std::string_view node_name, OpType op, OpAttrs attrs, std::vector<ValueId> inputs,
                    std::vector<ValueId> outputs);
  void RemoveValue(ValueId id);
  void Adopt(std::vector<Value> values, std::vector<Node> nodes, std::span<const ValueId> renumbered);
  absl::Status ValidateValue(ValueId id, int64_t times_listed) const;
  absl::Status ValidateNode(NodeId id) const;
  absl::Status ValidateBorder() const;
  absl::Status ValidateOrder() const;
  void AddUse(ValueId value, NodeId node);
  void RemoveUse(ValueId value, NodeId node);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<char> value_alive_, node_alive_;
  std::vector<char> is_input_;  // of every value slot
  std::vector<std::vector<NodeId>> consumers_;
  std::map<std::string, ValueId, std::less<>> value_names_;
  std::map<std::string, NodeId, std::less<>> node_names_;
  std::map<std::string, int64_t> next_suffix_;  // of names that were taken, where the search for a free one goes on
  std::vector<ValueId> inputs_, outputs_;
};

}  // namespace qlite

#endif  // QLITE_GRAPH_H_
