#include <map>
#include <utility>

#include "core/status_macros.h"
#include "tuning/variants.h"

namespace qlite::tuning {
namespace {

constexpr int kFloatBits = 32;
constexpr int kMostBitsOfBlocks = 8;

class WeightVariants : public Variants {
 public:
  WeightVariants(const Context& context, const Graph& graph, WeightQuantizerOptions options, const DataSet& data,
                 Graph original, QuantizationResult base)
      : context_(context), graph_(graph), options_(std::move(options)), data_(data), original_(std::move(original)) {
    for (size_t i = 0; i < base.weights.size(); ++i) {
      if (base.weights[i].parameters == 0) continue;
      layers_.push_back({base.weights[i].node, base.weights[i].op});
      outcome_of_.push_back(i);
    }
    widths_ = {options_.bits};
    for (const int bits : {4, 8, 16}) {
      if (bits > options_.bits && (options_.block_size == 0 || bits <= kMostBitsOfBlocks)) widths_.push_back(bits);
    }
    results_.emplace(0, std::move(base));
  }

  const std::vector<VariantLayer>& layers() const override { return layers_; }
  int rungs() const override { return static_cast<int>(widths_.size()) + 1; }
  const Graph& original() const override { return original_; }

  absl::StatusOr<int> Bits(size_t layer, int rung) override {
    const absl::StatusOr<const QuantizationResult*> source = SourceOf(layer, rung);
    if (!source.ok()) return source.status();
    return *source == nullptr ? kFloatBits : (*source)->weights[outcome_of_[layer]].bits;
  }

  absl::StatusOr<QuantizationResult> Make(const std::vector<int>& rungs) override {
    const QuantizationResult& base = results_.at(0);
    QuantizationResult made;
    made.graph = base.graph;
    made.weights = base.weights;
    made.steps = base.steps;
    made.seconds = base.seconds;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (rungs[i] == 0) continue;
      const absl::StatusOr<const QuantizationResult*> source = SourceOf(i, rungs[i]);
      if (!source.ok()) return source.status();
      WeightOutcome& outcome = made.weights[outcome_of_[i]];
      if (*source == nullptr) {
        RestoreFloat(outcome.name, made.graph);
        outcome.bits = kFloatBits, outcome.parameters = 0, outcome.error = 0;
        outcome.reason = kCostsTooMuch;
      } else if (*source != &base) {
        TakeOver(outcome.name, (*source)->graph, made.graph);
        outcome = (*source)->weights[outcome_of_[i]];
      }
    }
    made.float_graph = original_;
    made.graph.Compact();
    QLITE_RETURN_IF_ERROR(made.graph.Validate());
    QLITE_RETURN_IF_ERROR(made.graph.InferShapes());
    return made;
  }

 private:
  // The quantization whose weight stands for the layer at a rung; null: the float weight.
  absl::StatusOr<const QuantizationResult*> SourceOf(size_t layer, int rung) {
    if (rung == static_cast<int>(widths_.size())) return nullptr;
    const WeightOutcome& present = results_.at(0).weights[outcome_of_[layer]];
    if (rung == 0 || present.bits >= widths_[static_cast<size_t>(rung)]) return &results_.at(0);
    if (results_.count(rung) == 0) {
      WeightQuantizerOptions options = options_;
      options.bits = widths_[static_cast<size_t>(rung)];
      absl::StatusOr<QuantizationResult> wider = WeightQuantize(context_, graph_, options, &data_);
      if (!wider.ok()) return wider.status();
      results_.emplace(rung, *std::move(wider));
    }
    const QuantizationResult& wider = results_.at(rung);
    return wider.weights[outcome_of_[layer]].parameters > 0 ? &wider : nullptr;
  }

  // Names of constants are those of the float graph in all of them.
  static void TakeOver(const std::string& name, const Graph& from, Graph& to) {
    const Value& source = from.value(*from.FindValue(name));
    Value& target = to.mutable_value(*to.FindValue(name));
    target.type = source.type;
    target.constant = source.constant;
    target.quant = source.quant;
  }

  void RestoreFloat(const std::string& name, Graph& graph) const {
    const ValueId id = *graph.FindValue(name);
    const NodeId decode = graph.Consumers(id)[0];
    graph.ReplaceUses(graph.node(decode).outputs[0], id);
    graph.RemoveNode(decode);
    Value& value = graph.mutable_value(id);
    value.type = ElementType::kFloat32;
    value.constant = original_.value(*original_.FindValue(name)).constant;
    value.quant.reset();
  }

  Context context_;
  const Graph& graph_;
  WeightQuantizerOptions options_;
  const DataSet& data_;
  Graph original_;
  std::map<int, QuantizationResult> results_;  // by rung, as they are needed
  std::vector<int> widths_;                    // by rung
  std::vector<VariantLayer> layers_;
  std::vector<size_t> outcome_of_;  // index into the outcomes of every result
};

}  // namespace

absl::StatusOr<std::unique_ptr<Variants>> MakeVariants(const Context& context, const Graph& graph,
                                                       const WeightQuantizerOptions& options, const DataSet& data,
                                                       const CalibrationTable*) {
  Graph original = graph;
  QLITE_RETURN_IF_ERROR(original.InferShapes(options.input_shapes));
  if (const auto steps = SimplifyGraph(context, original); !steps.ok()) return steps.status();
  absl::StatusOr<QuantizationResult> base = WeightQuantize(context, graph, options, &data);
  if (!base.ok()) return base.status();
  return std::unique_ptr<Variants>(
      std::make_unique<WeightVariants>(context, graph, options, data, std::move(original), *std::move(base)));
}

}  // namespace qlite::tuning
