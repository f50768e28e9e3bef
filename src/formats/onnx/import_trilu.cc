// Trilu becomes a choice between the matrix and zero, by the numbers of row and column.
#include <algorithm>

#include "core/str_cat.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

// 0, 1, ... for the extent of `data` at `axis`, which counts from the end.
ValueId Numbers(NodeReader& node, ValueId data, int64_t axis, std::string_view name) {
  ShapeAttrs extent;
  extent.start = axis;
  if (axis != -1) extent.end = axis + 1;
  const ValueId list = node.Add(OpType::kShape, extent, {data}, StrCat(name, "_extent"));
  const ValueId count = node.Add(OpType::kSqueeze, AxesAttrs{{0}}, {list}, StrCat(name, "_count"));
  const ValueId first = node.AddConstant(Tensor::Of<int64_t>({}, {0}), StrCat(name, "_first"));
  const ValueId step = node.AddConstant(Tensor::Of<int64_t>({}, {1}), StrCat(name, "_step"));
  return node.Add(OpType::kRange, NoAttrs{}, {first, count, step}, name);
}

}  // namespace

void ImportTrilu(NodeReader& node) {
  const bool upper = node.Flag("upper", true);
  const int64_t diagonal = node.HasInput(1) ? node.ConstantInt(1, "the diagonal").value_or(0) : 0;
  const ValueId data = node.Input(0);
  if (!node.ok()) return;
  const absl::StatusOr<Shape> shape = node.state().KnownShape(data);  // and the type
  if (!shape.ok()) return node.Fail(shape.status());
  const ElementType type = node.state().graph.value(data).type;
  absl::StatusOr<Tensor> zero = absl::InvalidArgumentError("no type");
  if (type == ElementType::kFloat32) zero = Tensor::Of<float>({}, {0});
  if (type == ElementType::kInt64) zero = Tensor::Of<int64_t>({}, {0});
  if (type == ElementType::kInt32) zero = Tensor::Of<int32_t>({}, {0});
  if (type == ElementType::kBool) {
    const uint8_t no = 0;
    zero = Tensor::Create(ElementType::kBool, {}, Buffer::Copy(&no, 1));
  }
  if (!zero.ok()) return node.Unsupported(StrCat("a matrix of ", ElementTypeName(type), " is"));
  constexpr int64_t kFar = int64_t{1} << 40;
  const int64_t nearest = std::min(kFar, std::max(-kFar, diagonal));

  const ValueId rows = node.Add(OpType::kUnsqueeze, AxesAttrs{{1}}, {Numbers(node, data, -2, "rows")}, "row");
  const ValueId columns = Numbers(node, data, -1, "columns");
  // The last column that is not kept in a row, or the first.
  const ValueId offset = node.AddConstant(Tensor::Of<int64_t>({}, {upper ? nearest - 1 : nearest + 1}), "offset");
  const ValueId border = node.Add(OpType::kAdd, ElementwiseAttrs{}, {rows, offset}, "border");
  const ValueId kept = node.Add(upper ? OpType::kGreater : OpType::kLess, NoAttrs{}, {columns, border}, "kept");
  node.Emit(OpType::kWhere, NoAttrs{}, {kept, data, node.AddConstant(*zero, "zero")});
}

}  // namespace qlite::onnx
