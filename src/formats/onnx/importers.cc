#include "formats/onnx/importers.h"

#include <algorithm>
#include <iterator>

namespace qlite::onnx {
namespace {

struct ImporterRow {
  std::string_view op_type;
  Importer importer;
};

// In alphabetical order.
constexpr ImporterRow kImporters[] = {
    {"Abs", ImportPlain},
    {"Add", ImportArithmetic},
    {"ArgMax", ImportArgMax},
    {"AveragePool", ImportAveragePool},
    {"BatchNormalization", ImportBatchNormalization},
    {"Cast", ImportCast},
    {"Ceil", ImportPlain},
    {"Clip", ImportClip},
    {"Concat", ImportConcat},
    {"ConcatFromSequence", ImportConcatFromSequence},
    {"Constant", ImportConstant},
    {"ConstantOfShape", ImportConstantOfShape},
    {"Conv", ImportConv},
    {"ConvTranspose", ImportConvTranspose},
    {"DepthToSpace", ImportDepthToSpace},
    {"DequantizeLinear", ImportDequantizeLinear},
    {"Div", ImportArithmetic},
    {"Dropout", ImportDropout},
    {"Elu", ImportElu},
    {"Equal", ImportPlain},
    {"Erf", ImportPlain},
    {"Exp", ImportPlain},
    {"Expand", ImportExpand},
    {"Flatten", ImportFlatten},
    {"Floor", ImportPlain},
    {"GRU", ImportGru},
    {"Gather", ImportGather},
    {"Gemm", ImportGemm},
    {"GlobalAveragePool", ImportGlobalPool},
    {"GlobalMaxPool", ImportGlobalPool},
    {"Greater", ImportPlain},
    {"HardSigmoid", ImportHardSigmoid},
    {"HardSwish", ImportPlain},
    {"Identity", ImportIdentity},
    {"If", ImportIf},
    {"InstanceNormalization", ImportInstanceNormalization},
    {"LRN", ImportLrn},
    {"LSTM", ImportLstm},
    {"LeakyRelu", ImportLeakyRelu},
    {"Less", ImportPlain},
    {"Log", ImportPlain},
    {"LogSoftmax", ImportSoftmax},
    {"Loop", ImportLoop},
    {"MatMul", ImportMatMul},
    {"Max", ImportPlain},
    {"MaxPool", ImportMaxPool},
    {"Min", ImportPlain},
    {"Mod", ImportMod},
    {"Mul", ImportArithmetic},
    {"Neg", ImportPlain},
    {"Not", ImportNot},
    {"PRelu", ImportPlain},
    {"Pad", ImportPad},
    {"Pow", ImportPlain},
    {"QuantizeLinear", ImportQuantizeLinear},
    {"Range", ImportPlain},
    {"Reciprocal", ImportPlain},
    {"ReduceMax", ImportReduce},
    {"ReduceMean", ImportReduce},
    {"ReduceMin", ImportReduce},
    {"ReduceSum", ImportReduce},
    {"Relu", ImportPlain},
    {"Reshape", ImportReshape},
    {"Resize", ImportResize},
    {"Round", ImportPlain},
    {"ScatterND", ImportScatterND},
    {"SequenceAt", ImportSequenceAt},
    {"SequenceConstruct", ImportSequenceConstruct},
    {"SequenceEmpty", ImportSequenceEmpty},
    {"SequenceErase", ImportSequenceErase},
    {"SequenceInsert", ImportSequenceInsert},
    {"SequenceLength", ImportSequenceLength},
    {"Shape", ImportShape},
    {"Sigmoid", ImportPlain},
    {"Slice", ImportSlice},
    {"Softmax", ImportSoftmax},
    {"SpaceToDepth", ImportSpaceToDepth},
    {"Split", ImportSplit},
    {"SplitToSequence", ImportSplitToSequence},
    {"Sqrt", ImportPlain},
    {"Squeeze", ImportSqueeze},
    {"Sub", ImportArithmetic},
    {"Sum", ImportSum},
    {"Tanh", ImportPlain},
    {"Transpose", ImportTranspose},
    {"Trilu", ImportTrilu},
    {"Unsqueeze", ImportUnsqueeze},
    {"Upsample", ImportUpsample},
    {"Where", ImportPlain},
};

constexpr bool Before(const ImporterRow& row, std::string_view op_type) { return row.op_type < op_type; }
static_assert(std::is_sorted(std::begin(kImporters), std::end(kImporters),
                             [](const ImporterRow& a, const ImporterRow& b) { return a.op_type < b.op_type; }));

}  // namespace

Importer FindImporter(std::string_view domain, std::string_view op_type) {
  if (!domain.empty() && domain != "ai.onnx") return nullptr;
  const ImporterRow* found = std::lower_bound(std::begin(kImporters), std::end(kImporters), op_type, Before);
  return found != std::end(kImporters) && found->op_type == op_type ? found->importer : nullptr;
}

}  // namespace qlite::onnx
