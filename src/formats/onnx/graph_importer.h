// Reads a graph of an ONNX file, node by node: the model's own, and the subgraphs of Loop and If.
//
// A subgraph is read as often as it would run, each time into new nodes of the one Graph; what decides how often (trip
// counts, conditions, positions in sequences) must therefore follow from constants and known shapes.
#ifndef QLITE_FORMATS_ONNX_GRAPH_IMPORTER_H_
#define QLITE_FORMATS_ONNX_GRAPH_IMPORTER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "formats/onnx/import_state.h"
#include "formats/onnx/onnx.pb.h"

namespace qlite::onnx {

// Reads the model's graph into state.graph, which has its inputs and outputs afterwards. Takes the data out of `proto`.
absl::Status ImportModelGraph(onnx_schema::GraphProto& proto, ImportState& state);

// The body of a Loop, or a branch of an If.
class Subgraph {
 public:
  Subgraph(onnx_schema::GraphProto& proto, ImportState& state) : proto_(proto), state_(state) {}

  // Checks names and operators, and reads what is the same in every pass: initializers and Constant nodes. Names that
  // the subgraph does not have are those of the state's current scope. Call it once, first.
  absl::Status Prepare();
  int input_count() const { return proto_.input_size(); }
  int output_count() const { return proto_.output_size(); }
  // One pass: `inputs` (as many as input_count) stand for the subgraph's inputs; gives what its outputs are. The names
  // of what is made end in `suffix`.
  absl::StatusOr<std::vector<Binding>> Import(std::vector<Binding> inputs, const std::string& suffix);

 private:
  absl::Status ReadConstants();
  absl::Status ReadNodes();

  onnx_schema::GraphProto& proto_;
  ImportState& state_;
  Scope constants_;
  std::vector<int> order_;  // of the nodes that are not Constant
};

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_GRAPH_IMPORTER_H_
