#include "core/str_cat.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

// Sigmoid, Tanh and for LSTM Tanh, in each direction.
void CheckActivations(NodeReader& node, size_t each) {
  const std::vector<std::string> names = node.Strings("activations");
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string_view usual = i % each == 0 ? "Sigmoid" : "Tanh";
    if (names[i] != usual) node.Unsupported(StrCat("activation '", names[i], "' in the place of ", usual, " is"));
  }
}

// What is neither read by a Graph nor at its default is refused.
void ImportRecurrent(NodeReader& node, OpType op, int states) {
  RecurrentAttrs attrs;
  attrs.hidden_size = node.Int("hidden_size", 0);
  attrs.direction = node.Choice("direction", RecurrentDirection::kForward);
  if (op == OpType::kGRU) attrs.linear_before_reset = node.Flag("linear_before_reset", false);
  if (op == OpType::kLSTM && node.Flag("input_forget", false)) node.Unsupported("input_forget=1 is");
  CheckActivations(node, op == OpType::kLSTM ? 3 : 2);
  for (const std::string_view name : {"activation_alpha", "activation_beta", "clip"}) {
    if (node.HasAttribute(name)) node.Unsupported(StrCat("attribute '", name, "' is"));
  }
  if (node.Int("layout", 0) != 0) node.Unsupported("layout=1 (the batch first) is");
  if (node.HasInput(4)) node.Unsupported("sequence_lens is");
  if (op == OpType::kLSTM && node.HasInput(7)) node.Unsupported("the input of peepholes is");
  std::vector<ValueId> inputs;
  for (int i = 0; i < 5 + states && i < node.input_count(); ++i) inputs.push_back(node.Input(i));
  node.Emit(op, attrs, std::move(inputs));
}

}  // namespace

void ImportLstm(NodeReader& node) { ImportRecurrent(node, OpType::kLSTM, 2); }
void ImportGru(NodeReader& node) { ImportRecurrent(node, OpType::kGRU, 1); }

}  // namespace qlite::onnx
