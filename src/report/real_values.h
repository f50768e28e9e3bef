// Constants as the real numbers that they stand for.
#ifndef QLITE_REPORT_REAL_VALUES_H_
#define QLITE_REPORT_REAL_VALUES_H_

#include <optional>
#include <vector>

#include "qlite/graph.h"

namespace qlite::report {

// The constant that `value` is, or that a Dequantize node makes it of; an invalid id for any other value.
ValueId ConstantBehind(const Graph& graph, ValueId value);

// The elements of a float32 constant, or of an integer one that carries parameters; also where `value` is the result of
// a Dequantize node over such a constant. Nothing for any other value. The graph must be valid.
std::optional<std::vector<float>> RealValues(const Graph& graph, ValueId value);

}  // namespace qlite::report

#endif  // QLITE_REPORT_REAL_VALUES_H_
