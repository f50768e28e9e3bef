// The quantization parameters of the activations of integer regions.
#ifndef QLITE_PASSES_ACTIVATION_PARAMS_H_
#define QLITE_PASSES_ACTIVATION_PARAMS_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "passes/integer_regions.h"
#include "qlite/calibrator.h"
#include "qlite/context.h"
#include "qlite/graph.h"

namespace qlite {

// By value index: int8 asymmetric parameters of every activation that an integer node reads or makes, constant operands
// of arithmetic included.
//  - A value's range is what the observer proposes, cut to what was seen and to what its operator can give: behind
//  Relu6
//    it is at most exactly 6, behind Relu at least exactly 0.
//  - Operators that move elements share one set of parameters between input and outputs.
//  - The inputs of a Concat share its result's parameters where nothing else reads them, so that joining copies bytes;
//    the others are converted as they are joined.
// kNotFound where the table lacks a value.
absl::StatusOr<std::vector<std::optional<QuantParams>>> ChooseActivationParams(const Graph& graph,
                                                                               const IntegerRegions& regions,
                                                                               const CalibrationTable& table,
                                                                               Executor& executor);

}  // namespace qlite

#endif  // QLITE_PASSES_ACTIVATION_PARAMS_H_
