#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/half.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/weight_quantizer.h"

namespace qlite {
namespace {

// Below this the node that widens a constant takes more room than it saves.
constexpr int64_t kFewestElements = 128;

std::vector<ValueId> FloatConstants(const Graph& graph) {
  std::vector<ValueId> found;
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!graph.alive(id) || graph.Consumers(id).empty() || graph.IsOutput(id)) continue;
    const Value& value = graph.value(id);
    if (value.is_constant() && value.type == ElementType::kFloat32 && !value.quant) found.push_back(id);
  }
  return found;
}

std::string ReasonToKeep(std::span<const float> values, ElementType type) {
  if (static_cast<int64_t>(values.size()) < kFewestElements) {
    return StrCat("it has ", values.size(), " elements, fewer than ", kFewestElements);
  }
  const float largest = type == ElementType::kFloat16 ? kLargestHalf : kLargestBFloat;
  const auto fits = [&](float v) { return std::abs(v) <= largest; };
  if (std::all_of(values.begin(), values.end(), fits)) return "";
  return StrCat("it holds numbers beyond ", largest, ", the largest of ", ElementTypeName(type));
}

absl::Status StoreAsHalf(Graph& graph, ValueId id, ElementType type) {
  const Tensor before = *graph.value(id).constant;
  const auto values = before.data<float>();
  std::vector<uint16_t> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(),
                 type == ElementType::kFloat16 ? FloatToHalf : FloatToBFloat);
  absl::StatusOr<Tensor> narrow = Tensor::Create(type, before.dims(), Buffer::Own(std::move(halves)));
  if (!narrow.ok()) return narrow.status();
  const std::string name = graph.value(id).name;
  const ValueId wide = graph.AddValue(StrCat(name, "/float"));
  graph.ReplaceUses(id, wide);
  Value& value = graph.mutable_value(id);
  value.type = type;
  value.constant = *std::move(narrow);
  return graph.AddNode(StrCat(name, "/widen"), OpType::kCast, CastAttrs{ElementType::kFloat32}, {id}, {wide}).status();
}

}  // namespace

absl::StatusOr<std::vector<WeightOutcome>> StoreFloatsAsHalf(Graph& graph, ElementType type) {
  if (type != ElementType::kFloat16 && type != ElementType::kBFloat16) {
    return absl::InvalidArgumentError(
        StrCat("floats are stored as float16 or bfloat16, found ", ElementTypeName(type)));
  }
  std::vector<WeightOutcome> outcomes;
  for (const ValueId id : FloatConstants(graph)) {
    const Value& value = graph.value(id);
    const Node& reader = graph.node(graph.Consumers(id)[0]);
    WeightOutcome& outcome = outcomes.emplace_back();
    outcome.name = value.name, outcome.node = reader.name, outcome.op = OpName(reader.op);
    outcome.elements = value.constant->element_count();
    outcome.reason = ReasonToKeep(value.constant->data<float>(), type);
    if (!outcome.reason.empty()) continue;
    outcome.bits = 16;
    QLITE_RETURN_IF_ERROR(StoreAsHalf(graph, id, type));
  }
  graph.Compact();
  QLITE_RETURN_IF_ERROR(graph.Validate());
  QLITE_RETURN_IF_ERROR(graph.InferShapes());
  return outcomes;
}

}  // namespace qlite
