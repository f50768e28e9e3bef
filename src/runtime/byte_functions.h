// Parts of a quantized graph that compute a function of one byte, whatever happens inside: an activation written out in
// integer or in float operators, between a value that is quantized with one scale and another one.
#ifndef QLITE_RUNTIME_BYTE_FUNCTIONS_H_
#define QLITE_RUNTIME_BYTE_FUNCTIONS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/graph.h"
#include "runtime/lowering.h"

namespace qlite {

// An int8 value with one scale.
bool IsByte(const Value& value);

struct ByteFunction {
  ValueId input;
  std::vector<NodeId> nodes;  // at least two, in topological order; only the last one's result is read elsewhere
};

// Disjoint, each as large as it can be. `order` is the graph's topological order; shapes are static.
std::vector<ByteFunction> FindByteFunctions(const Graph& graph, const std::vector<NodeId>& order);

// What the nodes, executed one by one, make of every byte.
absl::StatusOr<std::array<uint8_t, 256>> TableOf(const Graph& graph, const ByteFunction& function, kernels::Isa isa,
                                                 const Limits& limits);

}  // namespace qlite

#endif  // QLITE_RUNTIME_BYTE_FUNCTIONS_H_
