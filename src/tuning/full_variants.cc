#include <map>
#include <utility>

#include "tuning/variants.h"

namespace qlite::tuning {
namespace {

constexpr int kFloatRung = 1;

bool IsProduct(std::string_view op) { return op == "Conv" || op == "ConvTranspose" || op == "Gemm" || op == "MatMul"; }

class FullVariants : public Variants {
 public:
  FullVariants(const Context& context, QuantizerOptions options, const DataSet& data, QuantizationResult base)
      : context_(context), options_(std::move(options)), data_(data), base_(std::move(base)) {
    for (const NodeOutcome& node : base_.nodes) {
      if (!node.integer) {
        kept_float_.push_back(node.name);
        reasons_[node.name] = node.reason;
      } else if (IsProduct(node.op)) {
        layers_.push_back({node.name, node.op});
      }
    }
    // Of the float graph, which is simplified and equalised already, with a calibration that is there.
    options_.equalization = false;
    options_.check_inputs = false;
    options_.min_weight_elements = 0;
    options_.checkpoint_path.clear();
    options_.input_shapes.clear();
  }

  const std::vector<VariantLayer>& layers() const override { return layers_; }
  int rungs() const override { return kFloatRung + 1; }
  absl::StatusOr<int> Bits(size_t, int rung) override { return rung == kFloatRung ? 32 : 8; }
  const Graph& original() const override { return base_.float_graph; }

  absl::StatusOr<QuantizationResult> Make(const std::vector<int>& rungs) override {
    QuantizerOptions options = options_;
    options.skip_nodes = kept_float_;
    std::map<std::string, std::string> reasons = reasons_;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (rungs[i] != kFloatRung) continue;
      options.skip_nodes.push_back(layers_[i].node);
      reasons[layers_[i].node] = kCostsTooMuch;
    }
    absl::StatusOr<QuantizationResult> made =
        Quantizer(context_, options).FullQuantize(base_.float_graph, data_, &base_.table);
    if (!made.ok()) return made.status();
    made->float_graph = base_.float_graph;
    std::vector<std::string> steps = base_.steps;
    if (!steps.empty() && !made->steps.empty()) steps.back() = made->steps.back();  // how many nodes are integer
    made->steps = std::move(steps);
    made->warnings = base_.warnings;
    for (NodeOutcome& node : made->nodes) {
      if (const auto found = reasons.find(node.name); found != reasons.end()) node.reason = found->second;
    }
    return made;
  }

 private:
  Context context_;
  QuantizerOptions options_;
  const DataSet& data_;
  QuantizationResult base_;
  std::vector<VariantLayer> layers_;
  std::vector<std::string> kept_float_;
  std::map<std::string, std::string> reasons_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Variants>> MakeVariants(const Context& context, const Graph& graph,
                                                       const QuantizerOptions& options, const DataSet& data,
                                                       const CalibrationTable* resume) {
  QuantizerOptions keeping = options;
  keeping.keep_float_graph = true;
  absl::StatusOr<QuantizationResult> base = Quantizer(context, keeping).FullQuantize(graph, data, resume);
  if (!base.ok()) return base.status();
  return std::unique_ptr<Variants>(std::make_unique<FullVariants>(context, options, data, *std::move(base)));
}

}  // namespace qlite::tuning
