// ScatterND.
#include <cstring>

#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/lowering.h"

namespace qlite {
namespace steps {

absl::Status ScatterND(Lowering& lowering, const Node& node) {
  const ValueId result = node.outputs[0];
  if (lowering.Type(result) == ElementType::kInt8) return lowering.RequireFloat(node, result);
  const Placement data = lowering.Read(node.inputs[0], Layout::kRowMajor);
  const Placement indices = lowering.Read(node.inputs[1], Layout::kRowMajor);
  const Placement updates = lowering.Read(node.inputs[2], Layout::kRowMajor);
  const auto depth = static_cast<size_t>(indices.dims.back());
  const int64_t count = ElementsOf(std::span(indices.dims).first(indices.dims.size() - 1));
  const Extents extents(data.dims.begin(), data.dims.begin() + static_cast<int64_t>(depth));
  const int64_t slice = ElementsOf(std::span(data.dims).subspan(depth)) * static_cast<int64_t>(ElementSize(data.type));
  const Placement out = lowering.Write(result, Layout::kRowMajor);
  const absl::Status failure = lowering.Invalid(node, "an index is outside the data");
  lowering.Emit({data.at, indices.at, updates.at, out.at}, [=, bytes = data.bytes(), from = data.at, where = indices.at,
                                                            what = updates.at, to = out.at](const Frame& frame) {
    std::byte* written = frame.Out<std::byte>(to);
    if (bytes > 0) std::memcpy(written, frame.In<std::byte>(from), static_cast<size_t>(bytes));
    const auto* index = frame.In<int64_t>(where);
    const auto* update = frame.In<std::byte>(what);
    for (int64_t i = 0; i < count; ++i) {
      int64_t position = 0;
      for (const int64_t extent : extents) {
        const int64_t given = *index++;
        if (given < -extent || given >= extent) return failure;
        position = position * extent + (given < 0 ? given + extent : given);
      }
      if (slice > 0) std::memcpy(written + position * slice, update + i * slice, static_cast<size_t>(slice));
    }
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace steps
}  // namespace qlite
