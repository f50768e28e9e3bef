#include "passes/batch_norm_folding.h"

#include "core/str_cat.h"
#include "passes/channel_affine.h"
#include "passes/graph_edit.h"

namespace qlite {
namespace {

bool RewriteAsConv(Graph& graph, NodeId id, const ChannelAffine& affine) {
  const int64_t rank = graph.value(affine.input).shape.rank();
  const auto channels = static_cast<int64_t>(affine.scale.size());
  if (rank < 3 || rank > 4 || ExtentOf(graph, affine.input, 1) != channels) return false;
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  dims[0] = channels;
  const auto constant = [&](const std::vector<double>& values, std::vector<int64_t> extents, std::string_view suffix) {
    std::vector<float> rounded;
    for (const double value : values) rounded.push_back(static_cast<float>(value));
    const std::string name = StrCat(graph.node(id).name, suffix);
    return graph.AddConstant(name, Tensor::Of<float>(std::move(extents), std::move(rounded)));
  };
  const ValueId weights = constant(affine.scale, dims, ".weight");
  const ValueId bias = constant(affine.shift, {channels}, ".bias");
  ConvAttrs attrs;
  attrs.group = channels;
  attrs.kernel_shape.assign(static_cast<size_t>(rank - 2), 1);
  ReplaceNode(graph, id, OpType::kConv, attrs, {affine.input, weights, bias});
  return true;
}

}  // namespace

absl::StatusOr<int> FoldBatchNorms(Graph& graph) {
  int folded = 0;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (!graph.alive(id)) continue;
    const auto affine = BatchNormAffine(graph, graph.node(id));
    if (!affine) continue;
    const bool done =
        FoldIntoProducer(graph, id, *affine) || FoldIntoReader(graph, id, *affine) || RewriteAsConv(graph, id, *affine);
    folded += done ? 1 : 0;
  }
  return folded;
}

}  // namespace qlite
