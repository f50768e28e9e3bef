#include "passes/activation_params.h"

#include <algorithm>
#include <numeric>

#include "core/str_cat.h"
#include "passes/graph_edit.h"
#include "passes/integer_ops.h"
#include "passes/value_bounds.h"

namespace qlite {
namespace {

// Below this an activation is taken for one that is always 0, and its scale is of no importance.
constexpr float kNoRange = 1e-12f;

class Chooser {
 public:
  Chooser(const Graph& graph, const IntegerRegions& regions, const CalibrationTable& table)
      : graph_(graph), regions_(regions), table_(table), order_(graph.TopologicalOrder()) {
    parent_.resize(graph.value_slots());
    std::iota(parent_.begin(), parent_.end(), 0);
    members_.resize(graph.value_slots());
    for (size_t i = 0; i < members_.size(); ++i) members_[i] = {ValueId{static_cast<int32_t>(i)}};
  }

  absl::StatusOr<std::vector<std::optional<QuantParams>>> Choose(Executor& executor) {
    for (const NodeId id : order_) {
      if (regions_.IsInteger(id) && RoleOf(graph_.node(id).op) == IntegerRole::kMovement) JoinMovement(graph_.node(id));
    }
    for (const NodeId id : order_) {
      if (regions_.IsInteger(id) && RoleOf(graph_.node(id).op) == IntegerRole::kConcat) JoinConcat(id);
    }
    std::vector<const std::vector<ValueId>*> groups;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (Root(ValueId{static_cast<int32_t>(i)}) == i && IsWanted(members_[i])) groups.push_back(&members_[i]);
    }
    const auto ranges = GroupRanges(groups, executor);
    std::vector<std::optional<QuantParams>> params(graph_.value_slots());
    for (size_t i = 0; i < groups.size(); ++i) {
      if (!ranges[i].ok()) return ranges[i].status();
      const ObservedRange range = ranges[i]->max - ranges[i]->min > kNoRange ? *ranges[i] : ObservedRange{0.0f, 1.0f};
      for (const ValueId member : *groups[i]) params[Index(member)] = AsymmetricParams(range.min, range.max);
    }
    return params;
  }

 private:
  static size_t Index(ValueId id) { return static_cast<size_t>(id.index); }

  size_t Root(ValueId id) const {
    size_t i = Index(id);
    while (parent_[i] != i) i = parent_[i];
    return i;
  }

  void Join(ValueId a, ValueId b) {
    const size_t to = Root(a), from = Root(b);
    if (to == from) return;
    parent_[from] = to;
    members_[to].insert(members_[to].end(), members_[from].begin(), members_[from].end());
    members_[from].clear();
  }

  void JoinMovement(const Node& node) {
    for (const ValueId output : node.outputs) {
      if (output.valid()) Join(node.inputs[0], output);
    }
  }

  void JoinConcat(NodeId id) {
    const Node& node = graph_.node(id);
    for (const ValueId input : node.inputs) {
      if (graph_.value(input).is_constant() || ServesOnly(members_[Root(input)], id)) Join(node.outputs[0], input);
    }
  }

  // Whatever the values of the group are used for ends in this node.
  bool ServesOnly(const std::vector<ValueId>& group, NodeId concat) const {
    return std::all_of(group.begin(), group.end(), [&](ValueId value) {
      if (graph_.IsOutput(value)) return false;
      const auto readers = graph_.Consumers(value);
      return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
        return reader == concat ||
               (regions_.IsInteger(reader) && RoleOf(graph_.node(reader).op) == IntegerRole::kMovement);
      });
    });
  }

  bool IsWanted(const std::vector<ValueId>& group) const {
    return std::any_of(group.begin(), group.end(), [&](ValueId id) {
      return graph_.alive(id) && (regions_.ReadAsInteger(graph_, id) || regions_.MadeAsInteger(graph_, id));
    });
  }

  // Results of moving operators lie within their input's range.
  bool IsMoved(ValueId id) const {
    const NodeId producer = graph_.value(id).producer;
    return regions_.IsInteger(producer) && RoleOf(graph_.node(producer).op) == IntegerRole::kMovement;
  }

  // An observer may have to search for its range.
  std::vector<absl::StatusOr<ObservedRange>> GroupRanges(const std::vector<const std::vector<ValueId>*>& groups,
                                                         Executor& executor) const {
    std::vector<absl::StatusOr<ObservedRange>> ranges(groups.size(), ObservedRange{});
    executor.ParallelFor(static_cast<int64_t>(groups.size()), [&](int64_t begin, int64_t end, int) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) ranges[i] = GroupRange(*groups[i]);
    });
    return ranges;
  }

  absl::StatusOr<ObservedRange> GroupRange(const std::vector<ValueId>& group) const {
    ObservedRange all{0.0f, 0.0f};
    const auto widen = [&](const ObservedRange& range) {
      all = {std::min(all.min, range.min), std::max(all.max, range.max)};
    };
    for (const ValueId id : group) {
      if (IsMoved(id)) {
        widen(PaddingRange(graph_.node(graph_.value(id).producer)));
        continue;
      }
      absl::StatusOr<ObservedRange> range = ValueRange(id);
      if (!range.ok()) return range.status();
      widen(*range);
    }
    return all;
  }

  // What a Pad puts around its input must lie on the grid too.
  ObservedRange PaddingRange(const Node& node) const {
    if (node.op != OpType::kPad || !node.has_input(2)) return {};
    const auto value = FloatConstant(graph_, node.inputs[2]);
    return value.size() == 1 ? ObservedRange{value[0], value[0]} : ObservedRange{};
  }

  absl::StatusOr<ObservedRange> ValueRange(ValueId id) const {
    const Value& value = graph_.value(id);
    if (value.is_constant()) {
      const auto data = FloatConstant(graph_, id);
      if (data.empty()) return ObservedRange{};
      const auto [low, high] = std::minmax_element(data.begin(), data.end());
      return ObservedRange{*low, *high};
    }
    absl::StatusOr<ObservedRange> range = table_.Range(value.name);
    if (!range.ok()) return range.status();
    const auto seen = table_.tensors.find(value.name);
    if (seen != table_.tensors.end() && !seen->second.channels.min.empty()) {
      const ChannelStatistics& channels = seen->second.channels;
      range->min = std::max(range->min, *std::min_element(channels.min.begin(), channels.min.end()));
      range->max = std::min(range->max, *std::max_element(channels.max.begin(), channels.max.end()));
    }
    const FusedClamp bounds = KnownBounds(graph_, id);
    range->min = std::clamp(range->min, bounds.min, bounds.max);
    range->max = std::clamp(range->max, bounds.min, bounds.max);
    return range;
  }

  const Graph& graph_;
  const IntegerRegions& regions_;
  const CalibrationTable& table_;
  std::vector<NodeId> order_;
  std::vector<size_t> parent_;
  std::vector<std::vector<ValueId>> members_;  // of the group whose root the index is
};

}  // namespace

absl::StatusOr<std::vector<std::optional<QuantParams>>> ChooseActivationParams(const Graph& graph,
                                                                               const IntegerRegions& regions,
                                                                               const CalibrationTable& table,
                                                                               Executor& executor) {
  return Chooser(graph, regions, table).Choose(executor);
}

}  // namespace qlite
