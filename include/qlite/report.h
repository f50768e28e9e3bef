// Where the accuracy went: every tensor of a quantized network beside that of the float network, on given samples.
//
//   QuantizerOptions options;
//   options.keep_float_graph = true;
//   auto result = Quantizer(context, options).FullQuantize(graph, data);
//   auto report = MakeReport(context, result->float_graph, result->graph, data, {});
//   WriteReportCsv(*report, "debug");
//   WriteReportHtml(*report, "debug");
#ifndef QLITE_REPORT_H_
#define QLITE_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/diagnosis.h"
#include "qlite/graph.h"
#include "qlite/quantizer.h"
#include "qlite/sensitivity.h"

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

// How often the values of a tensor lie in each of equal parts of [min, max], over the first samples of a report.
struct TensorHistogram {
  float min = 0, max = 0;                     // of both tensors
  std::vector<uint64_t> original, quantized;  // a count for each part, the last one with max itself; empty where there
                                              // is nothing to count
};

// A tensor over all samples of a report.
struct TensorSummary {
  std::string tensor;                // name in the float graph
  int64_t elements = 0;              // of one sample
  int bits = 32;                     // of its integers in the quantized network; 32: it is float there
  int64_t scales = 0;                // pairs of scale and zero point
  float grid_min = 0, grid_max = 0;  // the real numbers that the integers reach, the outermost of all pairs
  float min = 0, max = 0;            // of the float tensor
  // Against the quantized network, all samples together as one vector; nothing where it has no such tensor in memory.
  std::optional<double> snr_db, cosine;
  double clip = 0;  // share of the float elements outside the grid
  TensorHistogram histogram;
};

// A node of the float network, and what became of it.
struct LayerReport {
  std::string node, op;  // op is "Input" for the inputs of the network, whose node name is empty
  bool integer = false;  // computes with integers
  std::string reason;    // why it stayed float, where ReportOptions::reasons says
  // Of the constants that the node is the first to read, as dense integers of their bits with their scales, zero points
  // and corrections. Files may hold them in fewer (ExportOptions::encode_weights).
  int64_t original_bytes = 0, quantized_bytes = 0;
  std::vector<TensorSummary> weights;               // its float32 constants, biases included
  std::vector<TensorSummary> activations;           // what the node makes
  std::optional<double> original_ms, quantized_ms;  // of one run, where ReportOptions::times asks
};

struct Report {
  std::string model;  // Graph::name
  std::vector<ParameterReport> parameters;
  std::vector<ReportRound> rounds;
  std::vector<LayerReport> layers;  // in topological order, inputs first
  std::vector<Finding> findings;    // largest expected gain first
  // Not filled by MakeReport: what MeasureSensitivity gave, to be shown with the rest.
  std::vector<LayerSensitivity> sensitivity;
  // Likewise what QuantizeToTarget changed (TargetedQuantization::applied).
  std::vector<AppliedRemedy> applied;
};

struct ReportOptions {
  int64_t rounds = 0;  // samples to run, the first ones of the data set; 0: all
  // Measure the time of every node in both networks. Times are the one thing of a report that differs from run to run.
  bool times = false;
  std::map<std::string, std::string> reasons = {};  // by node: why it stayed float, see ReasonsToStayFloat
};

// The reasons of either kind of quantization, by node.
std::map<std::string, std::string> ReasonsToStayFloat(const QuantizationResult& result);

// Runs both networks over the samples. `original` is the float graph that quantization started from, simplified and
// equalised (QuantizationResult::float_graph; after WeightQuantize what SimplifyGraph makes of the model), so that its
// nodes have the names they have in `quantized`; weights may be integer inputs of a node, or constants behind a
// Dequantize node. Compared are float tensors. The same graphs and data give the same report for any number of threads,
// unless times are asked for. Memory: the float activations of one sample for each thread, and some kilobytes a tensor.
// Reports progress as "report" and "count values"; cancellation returns kCancelled.
absl::StatusOr<Report> MakeReport(const Context& context, const Graph& original, const Graph& quantized,
                                  const DataSet& data, const ReportOptions& options);

// Writes into `folder`, which must exist: output_summary.csv, round_0.csv and so on, one for each sample, and
// causes.csv, quant_param.csv where anything is quantized, and sensitivity.csv where that was measured. docs/report.md
// lists the columns. Files of these names are replaced.
absl::Status WriteReportCsv(const Report& report, const std::string& folder);

// Writes report.html into `folder`, which must exist: one file that needs no other and no network, with the summary,
// error and size of every layer, histograms, causes and remedies. Names are shown, never read as markup. Histograms are
// left out of the layers with the least error where there are thousands, to bound its size.
absl::Status WriteReportHtml(const Report& report, const std::string& folder);

}  // namespace qlite

#endif  // QLITE_REPORT_H_
