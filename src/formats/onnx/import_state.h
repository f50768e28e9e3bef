// What is known while the nodes of an ONNX graph become nodes of a Graph.
#ifndef QLITE_FORMATS_ONNX_IMPORT_STATE_H_
#define QLITE_FORMATS_ONNX_IMPORT_STATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "core/infer_context.h"
#include "formats/onnx/external_data.h"
#include "formats/onnx/onnx_reader.h"
#include "qlite/graph.h"

namespace onnx_schema {
class TensorProto;
}

namespace qlite::onnx {

// What an ONNX value name stands for.
//
// A Graph has no unsigned quantized values: the result of a QuantizeLinear to uint8 is held as int8, with q = u - 128,
// and `shifted` says so. It stays shifted through data movement; any other reader gets the uint8 value back.
struct Binding {
  std::optional<Tensor> tensor;  // constants: the value as the file states it
  ValueId id;                    // in the graph; constants are added when a node first reads them
  // A sequence of tensors: a list that exists while the file is read alone. Neither tensor nor id is set then.
  std::shared_ptr<const std::vector<ValueId>> sequence;
  bool shifted = false;
  // The other form, once a node has asked for it: the value shifted back (or forth), or the constant with parameters.
  ValueId other_form;
  ElementType type = ElementType::kUndefined;  // where known before shapes are inferred
  int packed_bits = 0;                         // of a constant whose elements shared bytes in the file
  int64_t rank = -1;                           // where the file states it
  int64_t uses = 0;                            // by nodes and graph outputs
  bool is_output = false;                      // of the graph
};

// Softmax and LogSoftmax before opset 13 normalise over all dimensions from `axis` on. Both forms keep the shape, so
// the rewrite waits until ranks are known.
struct FlatteningSoftmax {
  NodeId node;
  int64_t axis;
};

// The names of one graph of the file: the model's own, or one pass through the body of a Loop or If.
struct Scope {
  Scope* outer = nullptr;  // where names are looked up that this graph does not have; null for the model's
  std::string suffix;      // of the names of what is made here: the iteration
  std::unordered_map<std::string_view, Binding> bindings;  // for look-up only: never iterated
};

class ImportState {
 public:
  ImportState(const std::string& model_path, const OnnxReadOptions& read_options)
      : options(read_options), external(model_path, read_options.limits.max_file_bytes) {}

  const OnnxReadOptions& options;
  ExternalData external;
  Graph graph;
  int64_t opset = 0;
  std::string producer;  // the program that wrote the file, as it calls itself
  // The raw data of initializers that lie in the file and not in the message; for look-up only.
  std::unordered_map<const onnx_schema::TensorProto*, Buffer> data_in_file;
  Scope model_scope;
  Scope* scope = &model_scope;  // of the node that is being read
  std::vector<FlatteningSoftmax> flattening_softmaxes;

  // What the innermost scope says of `name`; null where no scope has it.
  Binding* Find(std::string_view name);
  // As Find; the name must be bound.
  Binding& At(std::string_view name);
  // The name of a node or value that is made in the current scope.
  std::string Label(std::string_view name) const;

  // The value of `binding` in the graph, in the form that the file means; a constant is added as `name`.
  absl::StatusOr<ValueId> PlainValue(Binding& binding, std::string_view name);
  absl::StatusOr<ValueId> PlainValue(std::string_view name) { return PlainValue(At(name), name); }

  // The shape of a value as far as it follows from the nodes read so far.
  absl::StatusOr<Shape> KnownShape(ValueId id);
  // The elements of an integer value where all follow from constants and known shapes.
  absl::StatusOr<std::optional<std::vector<int64_t>>> KnownIntegers(const Binding& binding);

  // Called before `bytes` of the file are read once more, or a sequence of `elements` is made: a small file must not
  // become a large graph. kResourceExhausted past the limit.
  absl::Status ChargeRepeatedNode(size_t bytes);
  absl::Status ChargeSequence(size_t elements);

 private:
  // Infers types, shapes and elements of the nodes added since the last call.
  absl::Status Follow();

  PartialValues known_;
  size_t followed_ = 0;  // node slots
  size_t repeated_nodes_ = 0;
  size_t sequence_elements_ = 0;
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_IMPORT_STATE_H_
