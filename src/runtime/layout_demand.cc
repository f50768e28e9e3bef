#include "runtime/layout_demand.h"

namespace qlite {
namespace {

enum class Reader { kAnyLayout, kMatrix, kImage, kOtherShape };

Reader ReaderKind(OpType op) {
  switch (op) {
    case OpType::kMatMul:
    case OpType::kGemm:
      return Reader::kMatrix;
    case OpType::kConv:
    case OpType::kConvTranspose:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
    case OpType::kGlobalAveragePool:
    case OpType::kGlobalMaxPool:
    case OpType::kBatchNormalization:
    case OpType::kInstanceNormalization:
    case OpType::kLRN:
    case OpType::kResize:
    case OpType::kDepthToSpace:
    case OpType::kSpaceToDepth:
      return Reader::kImage;
    case OpType::kReshape:
    case OpType::kFlatten:
    case OpType::kTranspose:
    case OpType::kSqueeze:
    case OpType::kUnsqueeze:
    case OpType::kGather:
    case OpType::kShape:
      return Reader::kOtherShape;
    default:
      return Reader::kAnyLayout;
  }
}

}  // namespace

std::vector<LayoutDemand> FindLayoutDemand(const Graph& graph) {
  std::vector<LayoutDemand> demand(graph.value_slots());
  const std::vector<NodeId> order = graph.TopologicalOrder();
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const Node& node = graph.node(*id);
    const Reader kind = ReaderKind(node.op);
    LayoutDemand wanted = {kind == Reader::kMatrix, kind == Reader::kImage};
    for (const ValueId output : node.outputs) {
      if (kind != Reader::kAnyLayout || !output.valid()) continue;
      wanted.row_major |= demand[static_cast<size_t>(output.index)].row_major;
      wanted.channels_last |= demand[static_cast<size_t>(output.index)].channels_last;
    }
    for (const ValueId input : node.inputs) {
      if (!input.valid()) continue;
      demand[static_cast<size_t>(input.index)].row_major |= wanted.row_major;
      demand[static_cast<size_t>(input.index)].channels_last |= wanted.channels_last;
    }
  }
  return demand;
}

}  // namespace qlite
