// Small ONNX models for the tests, built field by field.
#ifndef QLITE_TESTS_FORMATS_ONNX_MODEL_BUILDER_H_
#define QLITE_TESTS_FORMATS_ONNX_MODEL_BUILDER_H_

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "formats/onnx/onnx.pb.h"
#include "formats/onnx/onnx_reader.h"

namespace qlite::testing {

class OnnxModel {
 public:
  explicit OnnxModel(int64_t opset = 13) {
    proto.set_ir_version(7);
    proto.add_opset_import()->set_version(opset);
    graph().set_name("test");
  }

  onnx_schema::GraphProto& graph() { return *proto.mutable_graph(); }

  OnnxModel& Input(const std::string& name, const std::vector<int64_t>& dims,
                   int type = onnx_schema::TensorProto::FLOAT) {
    Declare(*graph().add_input(), name, dims, type);
    return *this;
  }
  OnnxModel& Output(const std::string& name, int type = onnx_schema::TensorProto::FLOAT) {
    graph().add_output()->set_name(name);
    graph().mutable_output(graph().output_size() - 1)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
    return *this;
  }
  onnx_schema::NodeProto& Node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs) {
    onnx_schema::NodeProto& node = *graph().add_node();
    node.set_op_type(op);
    node.set_name(op + "_" + outputs[0]);
    for (const std::string& input : inputs) node.add_input(input);
    for (const std::string& output : outputs) node.add_output(output);
    return node;
  }
  onnx_schema::TensorProto& Constant(const std::string& name, int type, const std::vector<int64_t>& dims) {
    onnx_schema::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const int64_t dim : dims) tensor.add_dims(dim);
    return tensor;
  }
  OnnxModel& Floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& values) {
    auto& tensor = Constant(name, onnx_schema::TensorProto::FLOAT, dims);
    for (const float v : values) tensor.add_float_data(v);
    return *this;
  }
  OnnxModel& Ints(const std::string& name, const std::vector<int64_t>& values) {
    auto& tensor = Constant(name, onnx_schema::TensorProto::INT64, {static_cast<int64_t>(values.size())});
    for (const int64_t v : values) tensor.add_int64_data(v);
    return *this;
  }
  // int8, uint8, int32 and the other types kept in int32_data.
  OnnxModel& Small(const std::string& name, int type, const std::vector<int64_t>& dims,
                   const std::vector<int>& values) {
    auto& tensor = Constant(name, type, dims);
    for (const int v : values) tensor.add_int32_data(v);
    return *this;
  }

  std::string Bytes() const { return proto.SerializeAsString(); }
  absl::StatusOr<Graph> Read(const OnnxReadOptions& options = {}) const { return ReadBytes(Bytes(), "", options); }

  static absl::StatusOr<Graph> ReadBytes(const std::string& bytes, const std::string& path = "",
                                         const OnnxReadOptions& options = {}) {
    return ReadOnnx(Buffer::Copy(bytes.data(), bytes.size()), path, options);
  }

  onnx_schema::ModelProto proto;

 private:
  static void Declare(onnx_schema::ValueInfoProto& info, const std::string& name, const std::vector<int64_t>& dims,
                      int type) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    tensor.mutable_shape();
    for (const int64_t dim : dims) tensor.mutable_shape()->add_dim()->set_dim_value(dim);
  }
};

inline onnx_schema::AttributeProto& AddAttribute(onnx_schema::NodeProto& node, const std::string& name,
                                                 onnx_schema::AttributeProto::AttributeType type) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}
inline void SetInt(onnx_schema::NodeProto& node, const std::string& name, int64_t value) {
  AddAttribute(node, name, onnx_schema::AttributeProto::INT).set_i(value);
}
inline void SetFloat(onnx_schema::NodeProto& node, const std::string& name, float value) {
  AddAttribute(node, name, onnx_schema::AttributeProto::FLOAT).set_f(value);
}
inline void SetString(onnx_schema::NodeProto& node, const std::string& name, const std::string& value) {
  AddAttribute(node, name, onnx_schema::AttributeProto::STRING).set_s(value);
}
inline void SetInts(onnx_schema::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  auto& attribute = AddAttribute(node, name, onnx_schema::AttributeProto::INTS);
  for (const int64_t v : values) attribute.add_ints(v);
}

// The operators of a graph in order, "Conv Relu".
inline std::string Ops(const Graph& graph) {
  std::string text;
  for (const NodeId id : graph.TopologicalOrder()) {
    if (!text.empty()) text += ' ';
    text += OpName(graph.node(id).op);
  }
  return text;
}

// The node that makes the first output.
inline const Node& Last(const Graph& graph) { return graph.node(graph.value(graph.outputs()[0]).producer); }

// Every operator, attribute, constant, type, shape and parameter of both, as text; metadata apart.
inline bool SameGraph(const Graph& a, const Graph& b) {
  if (a.Dump() != b.Dump()) return false;
  const std::vector<NodeId> order_a = a.TopologicalOrder(), order_b = b.TopologicalOrder();
  for (size_t i = 0; i < order_a.size(); ++i) {
    const Node &x = a.node(order_a[i]), &y = b.node(order_b[i]);
    if (x.name != y.name || x.op != y.op || !(x.attrs == y.attrs) || x.inputs.size() != y.inputs.size()) return false;
    for (size_t k = 0; k < x.inputs.size(); ++k) {
      if (x.inputs[k].valid() != y.inputs[k].valid()) return false;
      if (!x.inputs[k].valid()) continue;
      const Value &v = a.value(x.inputs[k]), &w = b.value(y.inputs[k]);
      if (v.constant.has_value() != w.constant.has_value() || v.quant != w.quant) return false;
      if (v.constant.has_value() && !(*v.constant == *w.constant)) return false;
    }
  }
  return true;
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_FORMATS_ONNX_MODEL_BUILDER_H_
