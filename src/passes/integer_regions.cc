#include "passes/integer_regions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error_site.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/graph_edit.h"
#include "passes/integer_ops.h"
#include "passes/product_weights.h"
#include "runtime/integer_support.h"

namespace qlite {
namespace {

class Finder {
 public:
  Finder(const Graph& graph, const std::map<NodeId, std::string>& kept_float)
      : graph_(graph), kept_float_(kept_float), order_(graph.TopologicalOrder()) {
    regions_.integer.assign(graph.node_slots(), false);
    regions_.reasons.resize(graph.node_slots());
  }

  absl::StatusOr<IntegerRegions> Find() {
    for (const NodeId id : order_) {
      Reason(id) = WhyNot(id);
      Integer(id) = Reason(id).empty();
    }
    DropIslands();
    std::vector<NodeId> backwards(order_.rbegin(), order_.rend());
    for (const NodeId id : backwards) LeaveFloatAtTheEnd(id);
    for (const NodeId id : order_) {
      if (Integer(id)) QLITE_RETURN_IF_ERROR(CheckConstants(graph_.node(id)));
    }
    return std::move(regions_);
  }

 private:
  char& Integer(NodeId id) { return regions_.integer[static_cast<size_t>(id.index)]; }
  std::string& Reason(NodeId id) { return regions_.reasons[static_cast<size_t>(id.index)]; }

  // Why the node cannot be integer, whatever its neighbours are; empty where it can.
  std::string WhyNot(NodeId id) const {
    const Node& node = graph_.node(id);
    const IntegerRole role = RoleOf(node.op);
    if (const auto kept = kept_float_.find(id); kept != kept_float_.end()) return kept->second;
    if (role == IntegerRole::kNone) return StrCat("there is no integer ", OpName(node.op));
    if (!HasIntegerStep(graph_, node)) {
      return StrCat("this form of ", OpName(node.op), " has no integer kernel");
    }
    if (role == IntegerRole::kProduct && !FindProduct(graph_, node))
      return "its weights or bias are not float constants";
    for (const ValueId output : node.outputs) {
      if (output.valid() && !IsFloat(graph_, output)) return "its result is not float32";
    }
    bool activation = false;
    for (const ValueId input : DataInputs(node)) {
      if (!IsFloat(graph_, input)) return "its input is not float32";
      activation |= !graph_.value(input).is_constant();
    }
    return activation ? "" : "it reads constants only";
  }

  void DropIslands() {
    std::vector<int32_t> parent(graph_.node_slots());
    std::iota(parent.begin(), parent.end(), 0);
    const auto find = [&](int32_t i) {
      while (parent[static_cast<size_t>(i)] != i) i = parent[static_cast<size_t>(i)];
      return i;
    };
    for (const NodeId id : order_) {
      if (!Integer(id)) continue;
      for (const ValueId input : DataInputs(graph_.node(id))) {
        const NodeId producer = graph_.value(input).producer;
        if (regions_.IsInteger(producer)) parent[static_cast<size_t>(find(id.index))] = find(producer.index);
      }
    }
    std::vector<char> has_product(graph_.node_slots(), false);
    for (const NodeId id : order_) {
      const bool product = Integer(id) && RoleOf(graph_.node(id).op) == IntegerRole::kProduct;
      if (product) has_product[static_cast<size_t>(find(id.index))] = true;
    }
    for (const NodeId id : order_) {
      if (!Integer(id) || has_product[static_cast<size_t>(find(id.index))]) continue;
      Integer(id) = false;
      Reason(id) = "no convolution or matrix product stands beside it: converting to integers and back would cost more";
    }
  }

  // A value that is float without further work: from a product that nothing else reads, or already float.
  bool IsFreeAsFloat(ValueId value, NodeId reader) {
    if (graph_.value(value).is_constant()) return true;
    const NodeId producer = graph_.value(value).producer;
    if (!regions_.IsInteger(producer)) return true;
    if (OnlyReader(graph_, value) != reader) return false;
    const Node& node = graph_.node(producer);
    if (RoleOf(node.op) == IntegerRole::kProduct) return true;
    return MayStayFloat(node) && std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
             return !input.valid() || IsFreeAsFloat(input, producer);
           });
  }

  static bool MayStayFloat(const Node& node) { return RoleOf(node.op) != IntegerRole::kProduct; }

  void LeaveFloatAtTheEnd(NodeId id) {
    if (!Integer(id)) return;
    const Node& node = graph_.node(id);
    if (!MayStayFloat(node)) return;
    for (const ValueId output : node.outputs) {
      if (!output.valid()) continue;
      for (const NodeId reader : graph_.Consumers(output)) {
        if (Integer(reader)) return;
      }
    }
    bool from_product = false;
    for (const ValueId input : DataInputs(node)) {
      if (!IsFreeAsFloat(input, id)) return;
      from_product |= regions_.IsInteger(graph_.value(input).producer);
    }
    if (!from_product) return;
    Integer(id) = false;
    Reason(id) = "only float results follow, and its input is had in float for nothing";
  }

  absl::Status CheckConstants(const Node& node) const {
    for (const ValueId input : node.inputs) {
      const auto data = FloatConstant(graph_, input);
      const auto bad = std::find_if(data.begin(), data.end(), [](float value) { return !std::isfinite(value); });
      if (bad == data.end()) continue;
      return AtNode(AtValue(absl::FailedPreconditionError(
                                StrCat("constant '", graph_.value(input).name, "' of node '", node.name, "' (",
                                       OpName(node.op), "): element ", bad - data.begin(), " is ", *bad,
                                       "; quantization needs finite weights. Mend the model, or skip the node")),
                            graph_.value(input).name),
                    node.name);
    }
    return absl::OkStatus();
  }

  const Graph& graph_;
  const std::map<NodeId, std::string>& kept_float_;
  std::vector<NodeId> order_;
  IntegerRegions regions_;
};

}  // namespace

bool IntegerRegions::GivesFloat(const Graph& graph, NodeId id) const {
  const Node& node = graph.node(id);
  return RoleOf(node.op) == IntegerRole::kProduct && !ReadAsInteger(graph, node.outputs[0]);
}

bool IntegerRegions::ReadAsInteger(const Graph& graph, ValueId id) const {
  const auto readers = graph.Consumers(id);
  return std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
    if (!IsInteger(reader)) return false;
    const auto data = DataInputs(graph.node(reader));
    return std::find(data.begin(), data.end(), id) != data.end();
  });
}

bool IntegerRegions::MadeAsInteger(const Graph& graph, ValueId id) const {
  const NodeId producer = graph.value(id).producer;
  return IsInteger(producer) && !GivesFloat(graph, producer);
}

absl::StatusOr<IntegerRegions> FindIntegerRegions(const Graph& graph, const std::map<NodeId, std::string>& kept_float) {
  return Finder(graph, kept_float).Find();
}

}  // namespace qlite
