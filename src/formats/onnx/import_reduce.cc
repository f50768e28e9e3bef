#include "formats/onnx/import_geometry.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

PoolAttrs ReadPool(NodeReader& node) {
  PoolAttrs attrs;
  ReadWindow(node, attrs);
  attrs.ceil_mode = node.Flag("ceil_mode", false);
  if (attrs.kernel_shape.empty()) node.Invalid("attribute 'kernel_shape' is missing");
  return attrs;
}

}  // namespace

void ImportMaxPool(NodeReader& node) {
  const PoolAttrs attrs = ReadPool(node);
  node.Ignore("storage_order");  // of the indices
  node.KeepOutputs(1, "Indices");
  bool shifted = false;
  const ValueId input = node.InputAsHeld(0, shifted);
  node.EmitMovement(OpType::kMaxPool, attrs, {input}, shifted);
}

void ImportAveragePool(NodeReader& node) {
  PoolAttrs attrs = ReadPool(node);
  attrs.count_include_pad = node.Flag("count_include_pad", false);
  node.Emit(OpType::kAveragePool, attrs, node.Inputs());
}

void ImportGlobalPool(NodeReader& node) { node.Emit(*FindOp(node.op_type()), NoAttrs{}, node.Inputs()); }

void ImportReduce(NodeReader& node) {
  const int64_t axes_are_input_since = node.op_type() == "ReduceSum" ? 13 : 18;
  ReduceAttrs attrs;
  attrs.keep_dims = node.Flag("keepdims", true);
  if (node.opset() >= axes_are_input_since) {
    attrs.axes = node.ConstantInts(1, "axes").value_or(std::vector<int64_t>());
    attrs.no_op_with_empty_axes = node.Flag("noop_with_empty_axes", false);
  } else {
    attrs.axes = node.Ints("axes");
  }
  node.Emit(*FindOp(node.op_type()), attrs, {node.Input(0)});
}

void ImportArgMax(NodeReader& node) {
  ArgMaxAttrs attrs;
  attrs.axis = node.Int("axis", 0);
  attrs.keep_dims = node.Flag("keepdims", true);
  attrs.select_last_index = node.opset() >= 12 && node.Flag("select_last_index", false);
  node.Emit(OpType::kArgMax, attrs, node.Inputs());
}

}  // namespace qlite::onnx
