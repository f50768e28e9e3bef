// One node on its way into an ONNX file.
#ifndef QLITE_FORMATS_ONNX_NODE_WRITER_H_
#define QLITE_FORMATS_ONNX_NODE_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/onnx.pb.h"
#include "qlite/graph.h"
#include "qlite/tensor.h"

namespace qlite::onnx {

// Adds constants to the file under names that are not taken.
class ConstantSink {
 public:
  virtual ~ConstantSink() = default;
  // Returns the name under which the constant was added: `wanted`, with a suffix where that is taken.
  virtual std::string AddConstant(std::string_view wanted, const Tensor& tensor) = 0;
};

// The ONNX node under construction: attributes and further inputs are added to it.
class NodeWriter {
 public:
  NodeWriter(const Graph& graph, const Node& node, int64_t opset, ConstantSink& constants,
             onnx_schema::NodeProto& proto)
      : graph_(graph), node_(node), opset_(opset), constants_(constants), proto_(proto) {}

  const Node& node() const { return node_; }
  int64_t opset() const { return opset_; }
  template <class A>
  const A& attr() const {
    return node_.attr<A>();
  }
  const Value& input_value(size_t i) const { return graph_.value(node_.inputs[i]); }

  void Int(std::string_view name, int64_t value);
  void Float(std::string_view name, float value);
  void String(std::string_view name, std::string_view value);
  // Nothing is written for an empty list.
  void Ints(std::string_view name, const std::vector<int64_t>& values);
  void TensorAttribute(std::string_view name, const Tensor& tensor);

  // Input `i` becomes a constant named "<node>/<suffix>"; inputs before it that are not there yet are absent.
  void ConstantInput(int i, std::string_view suffix, const Tensor& tensor);
  void IntsInput(int i, std::string_view suffix, const std::vector<int64_t>& values);
  // Puts an absent input at `i`, before those that follow.
  void InsertInput(int i);

 private:
  onnx_schema::AttributeProto& Add(std::string_view name, onnx_schema::AttributeProto::AttributeType type);

  const Graph& graph_;
  const Node& node_;
  int64_t opset_;
  ConstantSink& constants_;
  onnx_schema::NodeProto& proto_;
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_NODE_WRITER_H_
