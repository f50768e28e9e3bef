// In which layout the readers of a value want it.
#ifndef QLITE_RUNTIME_LAYOUT_DEMAND_H_
#define QLITE_RUNTIME_LAYOUT_DEMAND_H_

#include <vector>

#include "qlite/graph.h"

namespace qlite {

struct LayoutDemand {
  bool row_major = false;      // a matrix product reads the value
  bool channels_last = false;  // an operator on images does
};

// By value index: what the operators ask for that are reached from the value through operators that work in any layout.
std::vector<LayoutDemand> FindLayoutDemand(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_RUNTIME_LAYOUT_DEMAND_H_
