#include <string>
#include <vector>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/activation_fusion.h"
#include "passes/affine_folding.h"
#include "passes/batch_norm_folding.h"
#include "passes/constant_folding.h"
#include "passes/constant_sharing.h"
#include "passes/dead_code.h"
#include "passes/no_op_removal.h"
#include "passes/pad_folding.h"
#include "passes/reshape_targets.h"
#include "passes/transpose_elimination.h"
#include "qlite/quantizer.h"

namespace qlite {
namespace {

using PassFunction = absl::StatusOr<int> (*)(const Context& context, Graph& graph);

template <absl::StatusOr<int> (*pass)(Graph&)>
absl::StatusOr<int> WithoutContext(const Context&, Graph& graph) {
  return pass(graph);
}

// `did` and `what` frame the number of changes in the account: "folded 35 BatchNormalization".
struct Pass {
  const char* did;
  const char* what;
  PassFunction run;
};

// In the order in which they help each other. A new pass is one line.
constexpr Pass kPasses[] = {
    {"removed", "nodes and outputs that nothing reads", &WithoutContext<&RemoveDeadCode>},
    {"computed", "nodes over constants", &FoldConstants},
    {"fixed", "computed Reshape targets", &WithoutContext<&FixReshapeTargets>},
    {"removed", "nodes that change nothing", &WithoutContext<&RemoveNoOps>},
    {"joined or moved", "Transpose nodes", &WithoutContext<&EliminateTransposes>},
    {"folded", "BatchNormalization nodes into weights", &WithoutContext<&FoldBatchNorms>},
    {"folded", "arithmetic with constants into weights", &WithoutContext<&FoldAffine>},
    {"folded", "Pad nodes into padding", &WithoutContext<&FoldPads>},
    {"fused", "activations into clamps", &WithoutContext<&FuseActivations>},
};

// Every round changes something or is the last; the bound only guards against passes that undo each other.
constexpr int kMaxRounds = 32;

}  // namespace

absl::StatusOr<std::vector<std::string>> SimplifyGraph(const Context& context, Graph& graph) {
  QLITE_RETURN_IF_ERROR(graph.InferShapes());
  std::vector<int> changes(std::size(kPasses), 0);
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    changed = false;
    for (size_t i = 0; i < std::size(kPasses); ++i) {
      const absl::StatusOr<int> count = kPasses[i].run(context, graph);
      if (!count.ok()) return count.status();
      if (*count == 0) continue;
      changes[i] += *count;
      changed = true;
      QLITE_RETURN_IF_ERROR(graph.InferShapes());
    }
  }
  std::vector<std::string> steps;
  for (size_t i = 0; i < std::size(kPasses); ++i) {
    if (changes[i] > 0) steps.push_back(StrCat(kPasses[i].did, " ", changes[i], " ", kPasses[i].what));
  }
  const absl::StatusOr<int> shared = ShareConstants(graph);
  if (!shared.ok()) return shared.status();
  if (*shared > 0) steps.push_back(StrCat("shared ", *shared, " equal constants"));
  graph.Compact();
  QLITE_RETURN_IF_ERROR(graph.Validate());
  return steps;
}

}  // namespace qlite
