// Memory that the constants of a graph take.
#ifndef QLITE_RUNTIME_CONSTANT_BYTES_H_
#define QLITE_RUNTIME_CONSTANT_BYTES_H_

#include <cstdint>

#include "qlite/graph.h"

namespace qlite {

// Those in a mapped file take none: the system has their pages back where it wants them.
uint64_t ConstantBytes(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_RUNTIME_CONSTANT_BYTES_H_
