// Where the accuracy went: every tensor of a quantized network beside that of the float network, on given samples.
//
//   QuantizerOptions options;
//   options.keep_float_graph = true;
//   auto result = Quantizer(context, options).FullQuantize(graph, data);
//   auto report = MakeReport(context, result->float_graph, result->graph, data, {});
//   WriteReportCsv(*report, "debug");
#ifndef QLITE_REPORT_H_
#define QLITE_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

// Of all elements of a tensor. A quantile p is the element at position floor(p * n) of the n elements in ascending
// order; NaN counts as the largest. variance is the mean squared distance to the mean, sparsity the share of exact
// zeros.
struct TensorStatistics {
  float min = 0, quartile1 = 0, median = 0, quartile3 = 0, max = 0;
  double mean = 0, variance = 0, sparsity = 0;
};

// A quantized tensor, as real numbers, beside the float one.
struct TensorComparison {
  TensorStatistics quantized;
  double clip = 0;  // share of the float elements outside [min, max] of the quantized ones
  double cosine =
      1;  // of the angle between the two as vectors: 1 where both are 0, 0 where one is or one is not finite
  double snr_db = 0;  // 10 log10(energy of the float tensor / energy of the difference); infinite where they are equal
};

// A tensor that a node reads or makes.
struct TensorReport {
  std::string node, op, tensor;  // names in the float graph
  bool is_output = false;        // of the node
  bool is_weight = false;        // a constant
  TensorStatistics original;
  std::optional<TensorComparison> comparison;  // nothing where the quantized network has no such tensor in memory
};

// An output of the network.
struct OutputReport {
  std::string tensor;
  double cosine = 1;
};

// One sample.
struct ReportRound {
  std::vector<TensorReport> tensors;  // in topological order of their nodes; of each the inputs first
  std::vector<OutputReport> outputs;
};

// A pair of scale and zero point of the quantized network.
struct ParameterReport {
  std::string node, op, tensor;
  int64_t elements = 0;  // of the tensor
  std::vector<int64_t> dims;
  float scale = 1;
  int32_t zero_point = 0;
  int bits = 8;
  float correction_variance = 1, correction_mean = 0;  // QuantParams::variance_ratios and mean_shifts
};

struct Report {
  std::vector<ParameterReport> parameters;
  std::vector<ReportRound> rounds;
};

struct ReportOptions {
  int64_t rounds = 0;  // samples to run, the first ones of the data set; 0: all
};

// Runs both networks over the samples. `original` is the float graph that quantization started from, simplified and
// equalised (QuantizationResult::float_graph), so that its nodes have the names they have in `quantized`; weights may
// be integer inputs of a node, or constants behind a Dequantize node. Compared are float tensors. The same graphs and
// data give the same report for any number of threads. Reports progress as "report"; cancellation returns kCancelled.
absl::StatusOr<Report> MakeReport(const Context& context, const Graph& original, const Graph& quantized,
                                  const DataSet& data, const ReportOptions& options);

// Writes into `folder`, which must exist: output_summary.csv, round_0.csv and so on, one for each sample, and
// quant_param.csv where anything is quantized. docs/report.md lists the columns. Files of these names are replaced.
absl::Status WriteReportCsv(const Report& report, const std::string& folder);

}  // namespace qlite

#endif  // QLITE_REPORT_H_
