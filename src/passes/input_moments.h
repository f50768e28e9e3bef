// What products sum over, seen over a data set: the second moments of their inputs.
#ifndef QLITE_PASSES_INPUT_MOMENTS_H_
#define QLITE_PASSES_INPUT_MOMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

// The constant weights of a Conv, Gemm or MatMul as a matrix: output channel o sums the products of its inputs with the
// elements o * output_stride + r * input_stride, r in [0, length). Of a convolution r runs over (input channel of the
// group, tap), and o lies in group o / (outputs / groups).
struct ReductionView {
  int64_t outputs = 0, length = 0, groups = 1;
  int64_t output_stride = 1, input_stride = 1;

  int64_t element(int64_t output, int64_t r) const { return output * output_stride + r * input_stride; }
  friend bool operator==(const ReductionView&, const ReductionView&) = default;
};

// The view of input 1; nothing for other operators, for a Gemm that transposes its input and for a batch of matrices.
std::optional<ReductionView> FindReduction(const Graph& graph, const Node& node);

// Sums of x[i] * x[j] over positions and samples, where x are the inputs that an output of the group sums over: for
// each group length x length doubles, row-major, of which j <= i are filled in.
struct InputMoments {
  int64_t groups = 0, length = 0;
  std::vector<double> sums;
};

// Bytes of the moments of a product.
int64_t MomentBytes(const ReductionView& view);

// Runs the graph over the data set and adds up what the named products (nodes with a FindReduction) see of their
// inputs; of each sample at most `positions` positions, spread evenly. Products with the same weights add to the same
// moments. By the value of the weights; products whose input is not float32 are left out. Samples are run one after the
// other, so that the sums have the same bits for any number of threads. kCancelled where the context says so.
absl::StatusOr<std::map<ValueId, InputMoments>> CollectInputMoments(const Context& context, const Graph& graph,
                                                                    const std::vector<NodeId>& products,
                                                                    const DataSet& data, int64_t positions = 256);

}  // namespace qlite

#endif  // QLITE_PASSES_INPUT_MOMENTS_H_
