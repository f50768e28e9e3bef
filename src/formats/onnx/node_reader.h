// One ONNX node on its way into the graph: its attributes and inputs, and the nodes that it becomes.
#ifndef QLITE_FORMATS_ONNX_NODE_READER_H_
#define QLITE_FORMATS_ONNX_NODE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/enum_names.h"
#include "core/str_cat.h"
#include "formats/onnx/import_state.h"
#include "formats/onnx/onnx.pb.h"
#include "qlite/graph.h"

namespace qlite::onnx {

// Errors are kept, not returned: after the first one every call does nothing and gives a default, so that an importer
// reads like the table it is. status() has the error at the end, with the node's name in it.
class NodeReader {
 public:
  NodeReader(ImportState& state, onnx_schema::NodeProto& proto) : state_(state), proto_(proto) {}

  int64_t opset() const { return state_.opset; }
  const std::string& op_type() const { return proto_.op_type(); }

  // --- attributes; each may be asked for once or more, and one that nobody asked for is an error at the end
  int64_t Int(std::string_view name, int64_t fallback);
  bool Flag(std::string_view name, bool fallback) { return Int(name, fallback ? 1 : 0) != 0; }
  float Float(std::string_view name, float fallback);
  std::string String(std::string_view name, std::string_view fallback);
  std::vector<int64_t> Ints(std::string_view name);
  std::vector<float> Floats(std::string_view name);
  std::vector<std::string> Strings(std::string_view name);
  std::optional<Tensor> TensorAttribute(std::string_view name);
  // Null where the attribute is missing, which is an error, or after an error.
  onnx_schema::GraphProto* GraphAttribute(std::string_view name);
  bool HasAttribute(std::string_view name) const { return Find(name) != nullptr; }
  // An attribute that cannot change the result of inference.
  void Ignore(std::string_view name) { seen_.insert(name); }
  // The value that goes with the attribute's word.
  template <class E>
  E Choice(std::string_view name, E fallback) {
    const std::string text = String(name, WordOf(fallback));
    const auto words = WordsOf(fallback);
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i] == text) return static_cast<E>(i);
    }
    Unsupported(std::string(name) + "='" + text + "' is");
    return fallback;
  }

  // --- inputs
  int input_count() const { return proto_.input_size(); }
  bool HasInput(int i) const { return i < proto_.input_size() && !proto_.input(i).empty(); }
  // The value, invalid where the input is absent.
  ValueId Input(int i);
  std::vector<ValueId> Inputs();
  // The value in whichever form it has; `shifted` says which (see Binding).
  ValueId InputAsHeld(int i, bool& shifted);
  // The input's data where it is constant.
  const Tensor* Constant(int i);
  // The integers of an input; nothing where it is absent. An input that follows neither from constants nor from known
  // shapes is an error that calls it `what`.
  std::optional<std::vector<int64_t>> ConstantInts(int i, std::string_view what);
  // The one integer or boolean of an input.
  std::optional<int64_t> ConstantInt(int i, std::string_view what);
  // The integers, booleans included, of any value, as ConstantInts.
  std::optional<std::vector<int64_t>> KnownInts(const Binding& binding, std::string_view what);
  std::optional<int64_t> KnownInt(const Binding& binding, std::string_view what);
  // The sequence that an input is; empty after an error.
  const std::vector<ValueId>& Sequence(int i);
  // The number of dimensions of an input, where the file states it or it can be inferred.
  std::optional<int64_t> Rank(int i);
  Binding& InputBinding(int i) { return state_.At(proto_.input(i)); }
  const std::string& InputName(int i) const { return proto_.input(i); }

  // --- outputs
  int output_count() const { return proto_.output_size(); }
  bool OutputUsed(int i) const;
  const std::string& OutputName(int i) const { return proto_.output(i); }
  Binding& OutputBinding(int i) { return state_.At(proto_.output(i)); }
  // Outputs beyond the first `count` must not be used: `what` they would be is not supported.
  void KeepOutputs(int count, std::string_view what);

  // --- results
  // The node that makes the ONNX node's outputs, which are shifted int8 forms of what the file means where `shifted`.
  void Emit(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, bool shifted = false);
  // As Emit, for an operator that only moves data: the outputs have the quantization of the first input.
  void EmitMovement(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, bool shifted);
  // A node before the last one; its value is called "<output>/<suffix>".
  ValueId Add(OpType op, OpAttrs attrs, std::vector<ValueId> inputs, std::string_view suffix);
  ValueId AddConstant(Tensor tensor, std::string_view suffix);
  // The ONNX node's output is this constant, and there is no node.
  void BindConstant(Tensor tensor);
  // The ONNX node's output is this sequence.
  void BindSequence(std::vector<ValueId> elements);
  // Output `i` of the ONNX node is what `source` is.
  void BindOutput(int i, Binding source);

  // --- errors
  void Fail(absl::Status status);
  void Invalid(std::string_view message) { Fail(absl::InvalidArgumentError(StrCat(message))); }
  void Unsupported(std::string_view message);
  bool ok() const { return status_.ok(); }
  // Also refuses attributes that nobody asked for.
  absl::Status Finish();

  ImportState& state() { return state_; }
  // "node 'conv1' (Conv)"; a node without a name goes by its first output.

 private:
  const onnx_schema::AttributeProto* Find(std::string_view name) const;
  onnx_schema::AttributeProto* Take(std::string_view name, onnx_schema::AttributeProto::AttributeType type);

  ImportState& state_;
  onnx_schema::NodeProto& proto_;
  std::set<std::string_view> seen_;
  absl::Status status_;
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_NODE_READER_H_
