// What is known while the nodes of an ONNX graph become nodes of a Graph.
#ifndef QLITE_FORMATS_ONNX_IMPORT_STATE_H_
#define QLITE_FORMATS_ONNX_IMPORT_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "formats/onnx/external_data.h"
#include "formats/onnx/onnx_reader.h"
#include "qlite/graph.h"

namespace qlite::onnx {

// What an ONNX value name stands for.
//
// A Graph has no unsigned quantized values: the result of a QuantizeLinear to uint8 is held as int8, with q = u - 128,
// and `shifted` says so. It stays shifted through data movement; any other reader gets the uint8 value back.
struct Binding {
  std::optional<Tensor> tensor;  // constants: the value as the file states it
  ValueId id;                    // in the graph; constants are added when a node first reads them
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

struct ImportState {
  ImportState(const std::string& model_path, const OnnxReadOptions& read_options)
      : options(read_options), external(model_path, read_options.limits.max_file_bytes) {}

  const OnnxReadOptions& options;
  ExternalData external;
  Graph graph;
  int64_t opset = 0;
  std::unordered_map<std::string_view, Binding> bindings;  // for look-up only: never iterated
  std::vector<FlatteningSoftmax> flattening_softmaxes;
  int rank_inferences = 0;  // how often shapes were inferred for the sake of a node's rank

  // The value of `name` in the graph, in the form that the file means. The name must be bound.
  absl::StatusOr<ValueId> PlainValue(std::string_view name);
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_IMPORT_STATE_H_
