#include "formats/onnx/import_state.h"

#include "core/check.h"
#include "core/error_site.h"
#include "core/op_rules.h"
#include "core/status_macros.h"
#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

// What the nodes of loop bodies may amount to over all iterations; a larger one counts as several.
constexpr size_t kMaxRepeatedNodes = size_t{1} << 16;
constexpr size_t kBytesOfOneNode = 1024;
constexpr size_t kMaxSequenceElements = size_t{1} << 20;

// u = q + 128, where q is the int8 form.
absl::StatusOr<ValueId> ShiftBack(Graph& graph, ValueId shifted, std::string_view name) {
  const auto label = [&](std::string_view step) { return StrCat(name, "/uint8/", step); };
  const absl::StatusOr<ValueId> wide =
      graph.AddNode(label("wide"), OpType::kCast, CastAttrs{ElementType::kInt32}, {shifted}, label("wide"));
  if (!wide.ok()) return wide;
  const ValueId offset = graph.AddConstant(label("offset"), Tensor::Of<int32_t>({}, {128}));
  const absl::StatusOr<ValueId> moved =
      graph.AddNode(label("moved"), OpType::kAdd, ElementwiseAttrs{}, {*wide, offset}, label("moved"));
  if (!moved.ok()) return moved;
  // Unless the name is taken by the int8 form, the result has it.
  const std::string result = graph.FindValue(name).has_value() ? StrCat(name, "/uint8") : std::string(name);
  return graph.AddNode(label("cast"), OpType::kCast, CastAttrs{ElementType::kUInt8}, {*moved}, result);
}

}  // namespace

Binding* ImportState::Find(std::string_view name) {
  for (Scope* inner = scope; inner != nullptr; inner = inner->outer) {
    if (const auto found = inner->bindings.find(name); found != inner->bindings.end()) return &found->second;
  }
  return nullptr;
}

Binding& ImportState::At(std::string_view name) {
  Binding* const found = Find(name);
  QLITE_CHECK(found != nullptr, "a name that nothing bound");
  return *found;
}

std::string ImportState::Label(std::string_view name) const { return StrCat(name, scope->suffix); }

absl::StatusOr<ValueId> ImportState::PlainValue(Binding& binding, std::string_view name) {
  if (binding.sequence != nullptr) {
    return AtValue(
        absl::InvalidArgumentError(StrCat("value '", name, "' is a sequence of tensors where a tensor belongs")), name);
  }
  if (binding.shifted) {
    if (!binding.other_form.valid()) {
      const absl::StatusOr<ValueId> plain = ShiftBack(graph, binding.id, Label(name));
      if (!plain.ok()) return plain;
      binding.other_form = *plain;
    }
    return binding.other_form;
  }
  if (!binding.id.valid() && binding.tensor.has_value()) binding.id = graph.AddConstant(name, *binding.tensor);
  if (!binding.id.valid()) return AtValue(absl::InternalError(StrCat("value '", name, "' was not imported")), name);
  return binding.id;
}

absl::Status ImportState::Follow() {
  for (; followed_ < graph.node_slots(); ++followed_) {
    const NodeId id{static_cast<int32_t>(followed_)};
    InferContext context(graph, id, known_);
    QLITE_RETURN_IF_ERROR(RuleOf(graph.node(id).op).infer(context));
  }
  return absl::OkStatus();
}

absl::StatusOr<Shape> ImportState::KnownShape(ValueId id) {
  QLITE_RETURN_IF_ERROR(Follow());
  return graph.value(id).shape;
}

absl::StatusOr<std::optional<std::vector<int64_t>>> ImportState::KnownIntegers(const Binding& binding) {
  const auto listed = [](const Tensor& tensor) -> std::optional<std::vector<int64_t>> {
    const std::optional<PartialTensor> elements = PartialFromTensor(tensor);
    return elements && elements->is_integer() ? elements->Integers() : std::nullopt;
  };
  if (binding.tensor.has_value()) return listed(*binding.tensor);
  if (!binding.id.valid() || binding.shifted) return std::nullopt;
  if (const Value& value = graph.value(binding.id); value.is_constant()) return listed(*value.constant);
  QLITE_RETURN_IF_ERROR(Follow());
  const PartialTensor* elements = known_.Find(binding.id);
  if (elements == nullptr || !elements->is_integer()) return std::nullopt;
  return elements->Integers();
}

absl::Status ImportState::ChargeRepeatedNode(size_t bytes) {
  repeated_nodes_ += 1 + bytes / kBytesOfOneNode;
  if (repeated_nodes_ <= kMaxRepeatedNodes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      StrCat("unrolling the model's loops gives more than ", kMaxRepeatedNodes, " nodes"));
}

absl::Status ImportState::ChargeSequence(size_t elements) {
  sequence_elements_ += elements;
  if (sequence_elements_ <= kMaxSequenceElements) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      StrCat("the model's sequences have more than ", kMaxSequenceElements, " elements in all"));
}

}  // namespace qlite::onnx
