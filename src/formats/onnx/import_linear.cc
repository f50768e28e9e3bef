#include "formats/onnx/import_geometry.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {

AutoPad ReadAutoPad(NodeReader& node) {
  // Some write the empty string for no automatic padding.
  return node.String("auto_pad", "").empty() ? AutoPad::kNotSet : node.Choice("auto_pad", AutoPad::kNotSet);
}

void ImportConv(NodeReader& node) {
  ConvAttrs attrs;
  ReadWindow(node, attrs);
  attrs.group = node.Int("group", 1);
  node.Emit(OpType::kConv, attrs, node.Inputs());
}

void ImportConvTranspose(NodeReader& node) {
  ConvTransposeAttrs attrs;
  ReadWindow(node, attrs);
  attrs.group = node.Int("group", 1);
  attrs.output_padding = node.Ints("output_padding");
  attrs.output_shape = node.Ints("output_shape");
  node.Emit(OpType::kConvTranspose, attrs, node.Inputs());
}

void ImportGemm(NodeReader& node) {
  GemmAttrs attrs;
  attrs.alpha = node.Float("alpha", 1);
  attrs.beta = node.Float("beta", 1);
  attrs.trans_a = node.Flag("transA", false);
  attrs.trans_b = node.Flag("transB", false);
  node.Emit(OpType::kGemm, attrs, node.Inputs());
}

void ImportMatMul(NodeReader& node) {
  if (node.input_count() > 2) node.Invalid("MatMul takes two inputs");
  node.Emit(OpType::kMatMul, MatMulAttrs{}, node.Inputs());
}

}  // namespace qlite::onnx
