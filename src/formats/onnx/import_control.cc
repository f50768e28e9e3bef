// Loop and If, which leave no node behind: a loop is unrolled, a branch is read in the place of its If.
#include <limits>
#include <utility>

#include "core/str_cat.h"
#include "formats/onnx/graph_importer.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

constexpr int kLoopOwnInputs = 2;  // of the operator and of its body: trip count or iteration, and condition

Binding ConstantBinding(Tensor tensor) {
  Binding binding;
  binding.type = tensor.type();
  binding.tensor = std::move(tensor);
  return binding;
}

Tensor True() { return *Tensor::Create(ElementType::kBool, {}, Buffer::Own(std::vector<uint8_t>{1})); }

// What a value is now, without what its name is used for.
Binding Carried(const Binding& binding) {
  Binding copy = binding;
  copy.uses = 0;
  copy.is_output = false;
  copy.rank = -1;
  return copy;
}

// Unrolls one Loop.
class LoopReader {
 public:
  LoopReader(NodeReader& node, onnx_schema::GraphProto& body) : node_(node), body_(body, node.state()) {}

  void Run() {
    if (absl::Status status = body_.Prepare(); !status.ok()) return node_.Fail(status);
    CheckSignature();
    const int64_t trips = node_.ConstantInt(0, "numbers of iterations").value_or(std::numeric_limits<int64_t>::max());
    bool go_on = node_.ConstantInt(1, "conditions").value_or(1) != 0;
    for (int i = kLoopOwnInputs; node_.ok() && i < node_.input_count(); ++i) {
      if (!node_.HasInput(i)) return node_.Invalid(StrCat("its input ", i, " is absent but required"));
      carried_.push_back(Carried(node_.InputBinding(i)));
    }
    for (int64_t trip = 0; node_.ok() && go_on && trip < trips; ++trip) go_on = Iterate(trip);
    BindOutputs();
  }

 private:
  size_t carried_count() const { return static_cast<size_t>(node_.input_count() - kLoopOwnInputs); }

  void CheckSignature() {
    if (node_.input_count() < kLoopOwnInputs || body_.input_count() != node_.input_count() ||
        body_.output_count() < node_.input_count() - 1 || node_.output_count() > body_.output_count() - 1) {
      node_.Invalid(StrCat("a loop with ", node_.input_count(), " inputs and ", node_.output_count(),
                           " outputs does not fit a body with ", body_.input_count(), " inputs and ",
                           body_.output_count(), " outputs"));
      return;
    }
    scanned_.resize(static_cast<size_t>(body_.output_count()) - 1 - carried_count());
  }

  // Reads the body once; whether there may be another iteration.
  bool Iterate(int64_t trip) {
    std::vector<Binding> inputs = {ConstantBinding(Tensor::Of<int64_t>({}, {trip})), ConstantBinding(True())};
    for (Binding& value : carried_) inputs.push_back(std::move(value));
    absl::StatusOr<std::vector<Binding>> outputs = body_.Import(std::move(inputs), StrCat("/", trip));
    if (!outputs.ok()) {
      node_.Fail(outputs.status());
      return false;
    }
    carried_.clear();
    for (size_t i = 1; i < outputs->size(); ++i) {
      Binding value = Carried((*outputs)[i]);
      if (i <= carried_count()) {
        carried_.push_back(std::move(value));
      } else {
        AppendScan(i - 1 - carried_count(), value, trip);
      }
    }
    return node_.KnownInt(outputs->front(), "conditions").value_or(0) != 0;
  }

  // A scan output stacks what the iterations give along a new first axis.
  void AppendScan(size_t index, Binding& value, int64_t trip) {
    const std::string suffix = StrCat("scan_", index, "/", trip);
    const absl::StatusOr<ValueId> id = node_.state().PlainValue(value, suffix);
    if (!id.ok()) return node_.Fail(id.status());
    if (absl::Status status = node_.state().ChargeSequence(1); !status.ok()) return node_.Fail(status);
    scanned_[index].push_back(node_.Add(OpType::kUnsqueeze, AxesAttrs{{0}}, {*id}, suffix));
  }

  void BindOutputs() {
    for (int i = 0; node_.ok() && i < node_.output_count(); ++i) {
      if (node_.OutputName(i).empty()) continue;
      const size_t index = static_cast<size_t>(i);
      if (index < carried_count()) {
        node_.BindOutput(i, std::move(carried_[index]));
        continue;
      }
      std::vector<ValueId>& parts = scanned_[index - carried_count()];
      if (parts.empty()) return node_.Unsupported(StrCat("the output '", node_.OutputName(i), "' of no iteration is"));
      Binding stacked;
      stacked.id = node_.Add(OpType::kConcat, AxisAttrs{0}, std::move(parts), StrCat("scan_", index));
      node_.BindOutput(i, std::move(stacked));
    }
  }

  NodeReader& node_;
  Subgraph body_;
  std::vector<Binding> carried_;
  std::vector<std::vector<ValueId>> scanned_;  // for each scan output what the iterations gave
};

}  // namespace

void ImportLoop(NodeReader& node) {
  if (onnx_schema::GraphProto* body = node.GraphAttribute("body")) LoopReader(node, *body).Run();
}

void ImportIf(NodeReader& node) {
  onnx_schema::GraphProto* const then_branch = node.GraphAttribute("then_branch");
  onnx_schema::GraphProto* const else_branch = node.GraphAttribute("else_branch");
  const std::optional<int64_t> condition = node.ConstantInt(0, "conditions");
  if (!node.ok()) return;
  if (!condition.has_value()) return node.Invalid("the condition is missing");
  Subgraph branch(*condition != 0 ? *then_branch : *else_branch, node.state());
  if (absl::Status status = branch.Prepare(); !status.ok()) return node.Fail(status);
  if (branch.input_count() != 0 || branch.output_count() != node.output_count()) {
    return node.Invalid(StrCat("its ", node.output_count(), " outputs do not fit a branch with ", branch.input_count(),
                               " inputs and ", branch.output_count(), " outputs"));
  }
  const absl::StatusOr<std::vector<Binding>> outputs = branch.Import({}, "");
  if (!outputs.ok()) return node.Fail(outputs.status());
  for (int i = 0; i < node.output_count(); ++i) node.BindOutput(i, Carried((*outputs)[static_cast<size_t>(i)]));
}

}  // namespace qlite::onnx
