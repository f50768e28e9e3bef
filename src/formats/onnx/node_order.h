// An order in which the nodes of an ONNX graph can be read.
#ifndef QLITE_FORMATS_ONNX_NODE_ORDER_H_
#define QLITE_FORMATS_ONNX_NODE_ORDER_H_

#include <string_view>
#include <unordered_set>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "formats/onnx/onnx.pb.h"

namespace qlite::onnx {

// A node without a name goes by its first output.
const std::string& NodeName(const onnx_schema::NodeProto& node);
// "node 'name' (Op)".
std::string DescribeNode(const onnx_schema::NodeProto& node);

// Calls `read` with the name of every value that the node reads: its inputs, then those that its subgraphs take from
// outside, in an order that the file decides.
void ForEachRead(const onnx_schema::NodeProto& node, absl::FunctionRef<void(std::string_view)> read);

// Indices of the nodes, each after those whose outputs it reads and otherwise in the file's order: the standard asks
// for sorted nodes, but files with unsorted ones exist. `given` are the names of graph inputs and initializers. An
// error names a value that nothing produces, a name that is given twice, or a node on a cycle. O(n log n).
absl::StatusOr<std::vector<int>> OrderNodes(const onnx_schema::GraphProto& graph,
                                            const std::unordered_set<std::string_view>& given);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_NODE_ORDER_H_
