// What the inference function of an operator sees: one node, its inputs' types, shapes and known elements.
#ifndef QLITE_CORE_INFER_CONTEXT_H_
#define QLITE_CORE_INFER_CONTEXT_H_

#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "core/partial_tensor.h"
#include "core/status_macros.h"
#include "qlite/graph.h"

namespace qlite {

// The known elements of a graph's values. References stay valid.
class PartialValues {
 public:
  const PartialTensor* Find(ValueId id) const;
  // Null where the graph holds more elements than are worth following.
  const PartialTensor* Insert(ValueId id, PartialTensor elements);

 private:
  static constexpr size_t kMaxElementsOfGraph = size_t{1} << 20;

  std::unordered_map<ValueId, PartialTensor> values_;
  size_t elements_ = 0;
};

class InferContext {
 public:
  // `known` collects the known elements of all values of the graph; constants are added when first asked for.
  InferContext(Graph& graph, NodeId node, PartialValues& known) : graph_(graph), id_(node), known_(known) {}

  const Node& node() const { return graph_.node(id_); }
  template <class A>
  A& attr() {
    return graph_.mutable_node(id_).attr<A>();
  }
  size_t input_count() const { return node().inputs.size(); }
  size_t output_count() const { return node().outputs.size(); }
  bool has_input(size_t i) const { return node().has_input(i); }

  // Of an input that is present.
  ElementType input_type(size_t i) const { return input(i).type; }
  const Shape& input_shape(size_t i) const { return input(i).shape; }
  const QuantParams* input_quant(size_t i) const;
  // Null where nothing is known; else as many elements as the input has.
  const PartialTensor* input_elements(size_t i);
  // Null where not every element of the integer input is known, or the input is absent.
  std::optional<std::vector<int64_t>> input_integers(size_t i);

  // The type that output i was declared with.
  ElementType declared_type(size_t i) const;
  const QuantParams* output_quant(size_t i) const;
  // Does nothing for an output that is not used; fails where the known extents stand for too much data.
  absl::Status SetOutput(size_t i, ElementType type, Shape shape);
  void SetElements(size_t i, PartialTensor elements);

  // kInvalidArgument with the node's name and operator before `what`.
  absl::Status Error(std::string_view what) const;
  // An error of a helper under this node's name; OK stays OK.
  absl::Status Error(const absl::Status& status) const;

  // --- checks that many operators share
  // Input i has the type of input 0 (an undefined type passes).
  absl::Status CheckSameType(size_t i) const;
  absl::Status CheckType(size_t i, ElementType expected) const;
  absl::Status CheckIndexType(size_t i) const;  // int32 or int64
  absl::Status CheckReal(size_t i) const;       // floating-point, or an integer that carries QuantParams
  absl::Status CheckRank(size_t i, int64_t rank) const;
  absl::Status CheckMinRank(size_t i, int64_t rank) const;
  // Input i, named `what` in the message, has rank 1 and `extent` elements as far as both are known.
  absl::Status CheckVector(size_t i, std::string_view what, const Dim& extent) const;

  // The type of a result that has the type of input 0. Over quantized int8 the declared type stands, where it is an
  // 8-bit integer or float32.
  ElementType ResultType() const;
  // The type of a product (Conv, Gemm, MatMul): as above, float32 where int8 inputs meet an output without QuantParams.
  ElementType ProductType() const;
  // input types of a product: second input like the first; the bias int32 over int8.
  absl::Status CheckProductTypes(size_t bias) const;

 private:
  const Value& input(size_t i) const { return graph_.value(node().inputs[i]); }

  Graph& graph_;
  NodeId id_;
  PartialValues& known_;
};

}  // namespace qlite

#endif  // QLITE_CORE_INFER_CONTEXT_H_
