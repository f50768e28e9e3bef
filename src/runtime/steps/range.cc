// Range.
#include "core/str_cat.h"
#include "runtime/lowering.h"

namespace qlite {
namespace {

template <class T>
void EmitRange(Lowering& lowering, const Operand& start, const Operand& delta, const Placement& out) {
  lowering.Emit({start, delta, out.at}, [=, elements = out.elements(), to = out.at](const Frame& frame) {
    const T first = *frame.In<T>(start), step = *frame.In<T>(delta);
    T* numbers = frame.Out<T>(to);
    for (int64_t i = 0; i < elements; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        numbers[i] = first + static_cast<T>(i) * step;
      } else {
        using Wrapping = std::make_unsigned_t<T>;
        numbers[i] =
            static_cast<T>(static_cast<Wrapping>(first) + static_cast<Wrapping>(i) * static_cast<Wrapping>(step));
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

namespace steps {

// The extent has been inferred, so the limit need not be read.
absl::Status Range(Lowering& lowering, const Node& node) {
  const Operand start = lowering.Read(node.inputs[0], Layout::kRowMajor).at;
  const Operand delta = lowering.Read(node.inputs[2], Layout::kRowMajor).at;
  const Placement out = lowering.Write(node.outputs[0], Layout::kRowMajor);
  switch (out.type) {
    case ElementType::kInt64:
      EmitRange<int64_t>(lowering, start, delta, out);
      break;
    case ElementType::kInt32:
      EmitRange<int32_t>(lowering, start, delta, out);
      break;
    case ElementType::kFloat32:
      EmitRange<float>(lowering, start, delta, out);
      break;
    default:
      return lowering.Unimplemented(node, StrCat("cannot run on ", ElementTypeName(out.type)));
  }
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
