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

// Sums of x[i] * x[j], j <= i, over positions and samples, where x are the inputs that an output of the group sums
// over.
struct InputMoments {
  InputMoments() = default;
  InputMoments(int64_t group_count, int64_t input_count)
      : groups(group_count), length(input_count), sums(static_cast<size_t>(groups * GroupSize(length))) {}

  // The i + 1 sums of row i.
  double* row(int64_t group, int64_t i) { return sums.data() + group * GroupSize(length) + GroupSize(i); }
  const double* row(int64_t group, int64_t i) const { return const_cast<InputMoments*>(this)->row(group, i); }

  // Of so many inputs, or rows.
  static int64_t GroupSize(int64_t inputs) { return inputs * (inputs + 1) / 2; }

  int64_t groups = 0, length = 0;
  std::vector<double> sums;  // for each group, row behind row
};

// Bytes of the moments of a product.
int64_t MomentBytes(const ReductionView& view);

// Runs the graph over the data set and adds up what the named products (nodes with a FindReduction) see of their
// inputs, as far as the last of these; of each sample at most `positions` positions, spread evenly. Products with the
// same weights add to the same moments. By the value of the weights; products whose input is not float32 are left out.
// Samples are run one after the other, so that the sums have the same bits for any number of threads. kCancelled where
// the context says so.
absl::StatusOr<std::map<ValueId, InputMoments>> CollectInputMoments(const Context& context, const Graph& graph,
                                                                    const std::vector<NodeId>& products,
                                                                    const DataSet& data, int64_t positions = 256);

}  // namespace qlite

#endif  // QLITE_PASSES_INPUT_MOMENTS_H_
