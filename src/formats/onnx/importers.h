// The functions that read one ONNX operator each, and the table of them.
//
// A new operator is one function, here and in the file of its family, and one line in importers.cc.
#ifndef QLITE_FORMATS_ONNX_IMPORTERS_H_
#define QLITE_FORMATS_ONNX_IMPORTERS_H_

#include <string_view>

#include "formats/onnx/node_reader.h"

namespace qlite::onnx {

using Importer = void (*)(NodeReader& node);

// Null for an operator that is not supported. `domain` is that of the node: "" and "ai.onnx" are the standard's.
Importer FindImporter(std::string_view domain, std::string_view op_type);

// import_linear.cc: products with weights.
void ImportConv(NodeReader& node);
void ImportConvTranspose(NodeReader& node);
void ImportGemm(NodeReader& node);
void ImportMatMul(NodeReader& node);

// import_normalize.cc: normalisation over channels or an axis.
void ImportBatchNormalization(NodeReader& node);
void ImportInstanceNormalization(NodeReader& node);
void ImportLrn(NodeReader& node);
void ImportSoftmax(NodeReader& node);

// import_elementwise.cc
void ImportPlain(NodeReader& node);  // operators without attributes, of the same name and meaning
void ImportArithmetic(NodeReader& node);
void ImportSum(NodeReader& node);
void ImportLeakyRelu(NodeReader& node);
void ImportElu(NodeReader& node);
void ImportHardSigmoid(NodeReader& node);
void ImportClip(NodeReader& node);
void ImportCast(NodeReader& node);
void ImportMod(NodeReader& node);
void ImportNot(NodeReader& node);

// import_trilu.cc
void ImportTrilu(NodeReader& node);

// import_recurrent.cc
void ImportLstm(NodeReader& node);
void ImportGru(NodeReader& node);

// import_movement.cc: data movement and shapes.
void ImportConcat(NodeReader& node);
void ImportSplit(NodeReader& node);
void ImportSlice(NodeReader& node);
void ImportPad(NodeReader& node);
void ImportReshape(NodeReader& node);
void ImportFlatten(NodeReader& node);
void ImportTranspose(NodeReader& node);
void ImportSqueeze(NodeReader& node);
void ImportUnsqueeze(NodeReader& node);
void ImportExpand(NodeReader& node);
void ImportGather(NodeReader& node);
void ImportScatterND(NodeReader& node);
void ImportShape(NodeReader& node);
void ImportIdentity(NodeReader& node);
void ImportDropout(NodeReader& node);
void ImportDepthToSpace(NodeReader& node);
void ImportSpaceToDepth(NodeReader& node);

// import_control.cc: what decides which nodes there are.
void ImportLoop(NodeReader& node);
void ImportIf(NodeReader& node);

// import_sequence.cc
void ImportSequenceEmpty(NodeReader& node);
void ImportSequenceConstruct(NodeReader& node);
void ImportSequenceInsert(NodeReader& node);
void ImportSequenceErase(NodeReader& node);
void ImportSequenceAt(NodeReader& node);
void ImportSequenceLength(NodeReader& node);
void ImportSplitToSequence(NodeReader& node);
void ImportConcatFromSequence(NodeReader& node);

// import_constant.cc
void ImportConstant(NodeReader& node);
void ImportConstantOfShape(NodeReader& node);

// import_reduce.cc: pooling and reductions.
void ImportMaxPool(NodeReader& node);
void ImportAveragePool(NodeReader& node);
void ImportGlobalPool(NodeReader& node);
void ImportReduce(NodeReader& node);
void ImportArgMax(NodeReader& node);

// import_resize.cc
void ImportResize(NodeReader& node);
void ImportUpsample(NodeReader& node);

// import_quant.cc
void ImportQuantizeLinear(NodeReader& node);
void ImportDequantizeLinear(NodeReader& node);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_IMPORTERS_H_
