// All that a report knows of the tensors of two networks, before it is brought into its final form.
#ifndef QLITE_REPORT_GATHERED_H_
#define QLITE_REPORT_GATHERED_H_

#include <map>
#include <utility>

#include "qlite/report.h"
#include "report/paired_run.h"
#include "report/tensor_tally.h"

namespace qlite::report {

struct GatheredTensor {
  int64_t channel_axis = -1;
  Grid grid;
  TensorTally tally;
  TensorHistogram histogram;
};

struct Gathered {
  std::map<ValueId, GatheredTensor> activations;                  // by value of the float graph
  std::map<std::pair<NodeId, size_t>, GatheredTensor> constants;  // by node of the float graph and index of its input
};

// The axis along which an activation has channels: the second of what convolutions and pools make or read, else the
// last; -1 for vectors without a batch.
int64_t ActivationChannelAxis(const Graph& graph, ValueId value);
// The axis of a constant along which output channels lie, as the quantized counterpart has it or the operator says.
int64_t ConstantChannelAxis(const Graph& graph, const Node& node, size_t index);

// Fills the constants.
Gathered GatherConstants(const PairedRun& run);
// The grid and the axis of an activation, to be given its samples.
GatheredTensor DescribeActivation(const PairedRun& run, ValueId value);

// The layers in their final form, without times and reasons.
std::vector<LayerReport> MakeLayers(const PairedRun& run, const Gathered& gathered);

// Causes of loss with what they cost.
std::vector<Finding> Diagnose(const PairedRun& run, const Gathered& gathered);

}  // namespace qlite::report

#endif  // QLITE_REPORT_GATHERED_H_
