#include "formats/onnx/importers.h"

namespace qlite::onnx {

void ImportBatchNormalization(NodeReader& node) {
  BatchNormAttrs attrs;
  attrs.epsilon = node.Float("epsilon", 1e-5f);
  node.Ignore("momentum");  // of training
  if (node.opset() < 9 && node.Int("spatial", 1) == 0) node.Unsupported("spatial=0 (statistics for every position) is");
  if (node.opset() >= 14 && node.Int("training_mode", 0) != 0) node.Unsupported("training_mode=1 is");
  node.KeepOutputs(1, "running statistics of training");
  node.Emit(OpType::kBatchNormalization, attrs, node.Inputs());
}

void ImportInstanceNormalization(NodeReader& node) {
  InstanceNormAttrs attrs;
  attrs.epsilon = node.Float("epsilon", 1e-5f);
  node.Emit(OpType::kInstanceNormalization, attrs, node.Inputs());
}

void ImportLrn(NodeReader& node) {
  LrnAttrs attrs;
  attrs.alpha = node.Float("alpha", 1e-4f);
  attrs.beta = node.Float("beta", 0.75f);
  attrs.bias = node.Float("bias", 1);
  attrs.size = node.Int("size", 0);
  if (!node.HasAttribute("size")) node.Invalid("attribute 'size' is missing");
  node.Emit(OpType::kLRN, attrs, node.Inputs());
}

void ImportSoftmax(NodeReader& node) {
  const bool flattening = node.opset() < 13;
  AxisAttrs attrs;
  attrs.axis = node.Int("axis", flattening ? 1 : -1);
  node.Emit(*FindOp(node.op_type()), attrs, node.Inputs());
  if (!flattening || attrs.axis == -1 || !node.ok()) return;
  const NodeId made = node.state().graph.value(node.OutputBinding(0).id).producer;
  node.state().flattening_softmaxes.push_back({made, attrs.axis});
}

}  // namespace qlite::onnx
