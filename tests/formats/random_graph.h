// Graphs made at random that use everything a file must keep: every operator with random attributes, absent inputs and
// outputs, constants of every element type, quantization parameters, symbolic dimensions and unknown ranks. They are
// valid; their shapes need not make sense.
#ifndef QLITE_TESTS_FORMATS_RANDOM_GRAPH_H_
#define QLITE_TESTS_FORMATS_RANDOM_GRAPH_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/op_rules.h"
#include "core/str_cat.h"
#include "qlite/graph.h"

namespace qlite::testing {

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : generator_(seed) {}

  int64_t Number(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator_() % static_cast<uint64_t>(high - low + 1));
  }
  float Real() { return static_cast<float>(Number(-1000, 1000)) / 64.0f; }

  // Fills every field that VisitFields lists.
  OpAttrs Attributes(OpType op) {
    OpAttrs attrs = DefaultAttrs(op);
    const auto fill = [this](const char*, auto& field) { Fill(field); };
    std::visit([&fill](auto& a) { a.VisitFields(fill); }, attrs);
    return attrs;
  }

  // One node of every operator, in the order of the registry.
  Graph Make() {
    Graph graph;
    graph.name = "random \xc3\xbc";
    graph.metadata = {{"producer", "test"}, {"empty", ""}, {"a line", "one\ntwo"}};
    AddSources(graph);
#define QLITE_ADD_OP(name, attrs) AddNode(graph, OpType::k##name);
    QLITE_FOR_EACH_OP(QLITE_ADD_OP)
#undef QLITE_ADD_OP
    graph.SetOutputs({available_.back(), available_[available_.size() / 2]});
    return graph;
  }

 private:
  void Fill(bool& field) { field = Number(0, 1) == 1; }
  void Fill(int64_t& field) { field = Number(0, 9) == 0 ? std::numeric_limits<int64_t>::min() : Number(-50, 50); }
  void Fill(float& field) { field = Real(); }
  void Fill(std::vector<int64_t>& field) {
    field.resize(static_cast<size_t>(Number(0, 5)));
    for (int64_t& x : field) Fill(x);
  }
  void Fill(std::vector<float>& field) {
    field.resize(static_cast<size_t>(Number(0, 5)));
    for (float& x : field) Fill(x);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void Fill(Enum& field) { field = static_cast<Enum>(Number(0, EnumCount(Enum{}) - 1)); }

  Shape RandomShape() {
    if (Number(0, 5) == 0) return Shape();
    std::vector<Dim> dims(static_cast<size_t>(Number(0, 4)));
    for (Dim& dim : dims) {
      const int64_t kind = Number(0, 3);
      dim = kind == 0 ? Dim() : kind == 1 ? Dim::Symbolic(StrCat("N", Number(0, 3))) : Dim(Number(0, 7));
    }
    return Shape(std::move(dims));
  }

  Tensor RandomConstant(ElementType type) {
    std::vector<int64_t> dims(static_cast<size_t>(Number(0, 3)));
    for (int64_t& dim : dims) dim = Number(0, 5);
    const int64_t count = *ElementCount(dims);
    std::vector<uint8_t> bytes(static_cast<size_t>(count) * ElementSize(type));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(type == ElementType::kBool ? Number(0, 1) : Number(0, 255));
    return *Tensor::Create(type, std::move(dims), Buffer::Copy(bytes.data(), bytes.size()));
  }

  void AddSources(Graph& graph) {
    for (int i = 0; i < 3; ++i) {
      const auto type = static_cast<ElementType>(Number(0, EnumCount(ElementType{}) - 1));
      available_.push_back(graph.AddInput(StrCat("input/", i, ":0"), type, RandomShape()));
    }
    for (int64_t type = 1; type < EnumCount(ElementType{}); ++type) {
      available_.push_back(
          graph.AddConstant(StrCat("constant ", type), RandomConstant(static_cast<ElementType>(type))));
    }
    std::vector<int8_t> weights(4 * 6);
    for (int8_t& w : weights) w = static_cast<int8_t>(Number(-127, 127));
    std::vector<int16_t> wide(4 * 6);
    for (int16_t& w : wide) w = static_cast<int16_t>(Number(-2048, 2047));
    const ValueId twelve = graph.AddConstant("weights of 12 bits", Tensor::Of<int16_t>({4, 6}, wide));
    QuantParams quant = QuantParams::PerTensor(0.5f, static_cast<int32_t>(Number(-2048, 2047)), 12);
    quant.mean_shifts = {0.25f};
    graph.mutable_value(twelve).quant = quant;
    available_.push_back(twelve);
    for (const int64_t block : {0, 4}) {
      const ValueId id = graph.AddConstant(StrCat("weights ", block), Tensor::Of<int8_t>({4, 6}, weights));
      graph.mutable_value(id).quant = PerAxis(1, block, block == 0 ? 6 : 8);
      available_.push_back(id);
    }
  }

  QuantParams PerAxis(int64_t axis, int64_t block, size_t count) {
    QuantParams quant;
    quant.axis = axis;
    quant.block_size = block;
    quant.narrow_range = Number(0, 1) == 1;
    for (size_t i = 0; i < count; ++i) {
      quant.scales.push_back(static_cast<float>(Number(1, 1000)) / 4096.0f);
      quant.zero_points.push_back(static_cast<int32_t>(Number(-128, 127)));
    }
    const int64_t corrected = Number(0, 3);  // not, one way, both
    for (size_t i = 0; i < count; ++i) {
      if (corrected % 2 == 1) quant.variance_ratios.push_back(static_cast<float>(Number(1, 1000)) / 512.0f);
      if (corrected / 2 == 1) quant.mean_shifts.push_back(static_cast<float>(Number(-1000, 1000)) / 512.0f);
    }
    return quant;
  }

  void AddNode(Graph& graph, OpType op) {
    const OpRule& rule = RuleOf(op);
    const auto count = [this](size_t least, size_t most) {
      return static_cast<size_t>(Number(static_cast<int64_t>(least), static_cast<int64_t>(std::min(most, least + 2))));
    };
    const size_t input_count = count(rule.min_inputs, rule.max_inputs);
    std::vector<ValueId> inputs, outputs;
    for (size_t i = 0; i < input_count; ++i) {
      const bool optional = i >= rule.min_inputs && rule.max_inputs != OpRule::kAny;
      const bool absent = optional && i + 1 < input_count && Number(0, 1) == 0;
      inputs.push_back(absent ? ValueId{} : available_[static_cast<size_t>(Number(0, std::ssize(available_) - 1))]);
    }
    for (size_t i = 0; i < count(std::max<size_t>(rule.min_outputs, 1), rule.max_outputs); ++i) {
      outputs.push_back(graph.AddValue(StrCat(OpName(op), " output ", i)));
      Value& value = graph.mutable_value(outputs.back());
      value.type = static_cast<ElementType>(Number(0, EnumCount(ElementType{}) - 1));
      value.shape = RandomShape();
      if (Number(0, 2) == 0) value.quant = QuantParams::PerTensor(0.25f, static_cast<int32_t>(Number(-8, 7)), 4);
    }
    const absl::StatusOr<NodeId> id = graph.AddNode(StrCat("node/", OpName(op)), op, Attributes(op), inputs, outputs);
    if (id.ok()) available_.insert(available_.end(), outputs.begin(), outputs.end());
  }

  std::mt19937 generator_;
  std::vector<ValueId> available_;
};

// A small network of the usual kind: Conv, Relu, GlobalAveragePool, Gemm over float32 [N,3,8,8].
inline Graph SmallNetwork() {
  RandomGraph random(1);
  Graph graph;
  graph.name = "small";
  const ValueId input = graph.AddInput("x", ElementType::kFloat32, Shape({Dim::Symbolic("N"), 3, 8, 8}));
  const auto weights = [&](std::string_view name, std::vector<int64_t> dims) {
    std::vector<float> values(static_cast<size_t>(*ElementCount(dims)));
    for (float& v : values) v = random.Real() / 16;
    return graph.AddConstant(name, Tensor::Of<float>(std::move(dims), std::move(values)));
  };
  ConvAttrs conv;
  conv.kernel_shape = {3, 3};
  conv.pads = {1, 1, 1, 1};
  const ValueId convolved =
      *graph.AddNode("conv", OpType::kConv, conv, {input, weights("w", {4, 3, 3, 3}), weights("b", {4})}, "c");
  const ValueId active = *graph.AddNode("relu", OpType::kRelu, NoAttrs(), {convolved}, "r");
  const ValueId pooled = *graph.AddNode("pool", OpType::kGlobalAveragePool, NoAttrs(), {active}, "p");
  AxisAttrs flatten;
  flatten.axis = 1;
  const ValueId flat = *graph.AddNode("flatten", OpType::kFlatten, flatten, {pooled}, "f");
  const ValueId result =
      *graph.AddNode("gemm", OpType::kGemm, GemmAttrs(), {flat, weights("v", {4, 5}), weights("a", {5})}, "y");
  graph.SetOutputs({result});
  return graph;
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_FORMATS_RANDOM_GRAPH_H_
