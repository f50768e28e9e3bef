// Small edits of a Graph that the passes are made of. Ids stay valid unless a comment says otherwise.
#ifndef QLITE_PASSES_GRAPH_EDIT_H_
#define QLITE_PASSES_GRAPH_EDIT_H_

#include <span>
#include <vector>

#include "qlite/graph.h"

namespace qlite {

// The node that alone reads the value, through one input only; invalid where the value is read otherwise or is an
// output of the graph.
NodeId OnlyReader(const Graph& graph, ValueId value);

// The value's producer where it is of the given operator and has one output; invalid otherwise.
NodeId ProducedBy(const Graph& graph, ValueId value, OpType op);

// Makes `producer` give the result of `consumer`, its OnlyReader, under the result's name, and removes `consumer`. Both
// have one output. Returns the producer's new id; it keeps its name.
NodeId AbsorbConsumer(Graph& graph, NodeId producer, NodeId consumer);

// Removes a node of one output whose result is `replacement`, one of its inputs, unchanged: readers read that instead.
// False, and nothing changes, where the result's name must stay and cannot move: it is an output of the graph, and the
// replacement is an input, a constant, or an output too.
bool BypassNode(Graph& graph, NodeId node, ValueId replacement);

// Removes a node and gives its only result to a new one, under the result's name and the node's. Returns the new id.
NodeId ReplaceNode(Graph& graph, NodeId node, OpType op, OpAttrs attrs, std::vector<ValueId> inputs);

// Gives the node another constant as input `index`: in place where nothing else reads the old one, else under a new
// name. An input that was absent gets a constant named after the node and `suffix`.
void ReplaceConstant(Graph& graph, NodeId node, size_t index, Tensor tensor, std::string_view suffix);

// The elements of a float32 constant; empty for an invalid id and for any other value.
std::span<const float> FloatConstant(const Graph& graph, ValueId id);
// The elements of an int64 or int32 constant; nothing otherwise.
std::optional<std::vector<int64_t>> IntegerConstant(const Graph& graph, ValueId id);

// The value is float32 and carries no quantization.
bool IsFloat(const Graph& graph, ValueId id);

// Nodes, values and their names, without the data of constants.
Graph WithoutConstants(Graph graph);

// kFailedPrecondition where a value carries quantization parameters: the model is quantized already.
absl::Status RequireFloatGraph(const Graph& graph);

// Extent of a dimension; -1 where it, or the rank, is unknown. `axis` counts from the front.
int64_t ExtentOf(const Graph& graph, ValueId id, int64_t axis);

}  // namespace qlite

#endif  // QLITE_PASSES_GRAPH_EDIT_H_
