#include "core/str_cat.h"
#include "formats/onnx/importers.h"

namespace qlite::onnx {
namespace {

template <class T>
Tensor VectorOf(std::vector<T> values) {
  const int64_t count = static_cast<int64_t>(values.size());
  return Tensor::Of<T>({count}, std::move(values));
}

// The single element as the attribute holds it.
bool ReadFill(const Tensor& value, FillAttrs& attrs) {
  switch (value.type()) {
    case ElementType::kFloat32:
      attrs.float_value = value.data<float>()[0];
      return true;
    case ElementType::kInt8:
      attrs.int_value = value.data<int8_t>()[0];
      return true;
    case ElementType::kUInt8:
      attrs.int_value = value.data<uint8_t>()[0];
      return true;
    case ElementType::kInt32:
      attrs.int_value = value.data<int32_t>()[0];
      return true;
    case ElementType::kInt64:
      attrs.int_value = value.data<int64_t>()[0];
      return true;
    case ElementType::kBool:
      attrs.int_value = value.data<bool>()[0] ? 1 : 0;
      return true;
    default:
      return false;
  }
}

}  // namespace

void ImportConstant(NodeReader& node) {
  if (node.output_count() != 1) return node.Invalid("Constant has one output");
  if (node.HasAttribute("value")) {
    if (std::optional<Tensor> tensor = node.TensorAttribute("value")) node.BindConstant(*std::move(tensor));
  } else if (node.HasAttribute("value_float")) {
    node.BindConstant(Tensor::Of<float>({}, {node.Float("value_float", 0)}));
  } else if (node.HasAttribute("value_floats")) {
    node.BindConstant(VectorOf(node.Floats("value_floats")));
  } else if (node.HasAttribute("value_int")) {
    node.BindConstant(Tensor::Of<int64_t>({}, {node.Int("value_int", 0)}));
  } else if (node.HasAttribute("value_ints")) {
    node.BindConstant(VectorOf(node.Ints("value_ints")));
  } else if (node.HasAttribute("sparse_value")) {
    node.Unsupported("sparse constants are");
  } else if (node.HasAttribute("value_string") || node.HasAttribute("value_strings")) {
    node.Unsupported("string constants are");
  } else {
    node.Invalid("none of the attributes that hold a value is there");
  }
}

void ImportConstantOfShape(NodeReader& node) {
  FillAttrs attrs;
  if (const std::optional<Tensor> value = node.TensorAttribute("value")) {
    if (value->element_count() != 1) return node.Invalid("attribute 'value' must hold one element");
    attrs.type = value->type();
    if (!ReadFill(*value, attrs)) {
      return node.Unsupported(StrCat("a value of type ", ElementTypeName(value->type()), " is"));
    }
  }
  node.Emit(OpType::kConstantOfShape, attrs, node.Inputs());
}

}  // namespace qlite::onnx
