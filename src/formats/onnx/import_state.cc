#include "formats/onnx/import_state.h"

#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite::onnx {
namespace {

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

absl::StatusOr<ValueId> ImportState::PlainValue(std::string_view name) {
  Binding& binding = bindings.at(name);
  if (binding.shifted) {
    if (!binding.other_form.valid()) {
      const absl::StatusOr<ValueId> plain = ShiftBack(graph, binding.id, name);
      if (!plain.ok()) return plain;
      binding.other_form = *plain;
    }
    return binding.other_form;
  }
  if (!binding.id.valid() && binding.tensor.has_value()) binding.id = graph.AddConstant(name, *binding.tensor);
  if (!binding.id.valid()) return AtValue(absl::InternalError(StrCat("value '", name, "' was not imported")), name);
  return binding.id;
}

}  // namespace qlite::onnx
