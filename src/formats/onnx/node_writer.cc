#include "formats/onnx/node_writer.h"

#include "core/str_cat.h"
#include "formats/onnx/onnx_tensor.h"

namespace qlite::onnx {

using onnx_schema::AttributeProto;

AttributeProto& NodeWriter::Add(std::string_view name, AttributeProto::AttributeType type) {
  AttributeProto& attribute = *proto_.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

void NodeWriter::Int(std::string_view name, int64_t value) { Add(name, AttributeProto::INT).set_i(value); }

void NodeWriter::Float(std::string_view name, float value) { Add(name, AttributeProto::FLOAT).set_f(value); }

void NodeWriter::String(std::string_view name, std::string_view value) {
  Add(name, AttributeProto::STRING).set_s(std::string(value));
}

void NodeWriter::Ints(std::string_view name, const std::vector<int64_t>& values) {
  if (values.empty()) return;
  AttributeProto& attribute = Add(name, AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

void NodeWriter::TensorAttribute(std::string_view name, const Tensor& tensor) {
  WriteTensor("", tensor, *Add(name, AttributeProto::TENSOR).mutable_t());
}

void NodeWriter::ConstantInput(int i, std::string_view suffix, const Tensor& tensor) {
  while (proto_.input_size() <= i) proto_.add_input();
  proto_.set_input(i, constants_.AddConstant(StrCat(node_.name, "/", suffix), tensor));
}

void NodeWriter::IntsInput(int i, std::string_view suffix, const std::vector<int64_t>& values) {
  ConstantInput(i, suffix, Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

void NodeWriter::InsertInput(int i) {
  proto_.add_input();
  for (int k = proto_.input_size() - 1; k > i; --k) proto_.mutable_input()->SwapElements(k, k - 1);
}

}  // namespace qlite::onnx
