#include "qlite/report.h"

#include "capi/bodies.h"
#include "capi/quantization_result.h"
#include "capi/sensitivity.h"

namespace qlite::capi {
namespace {

qlite_report_options DefaultReport() {
  const ReportOptions options;
  return {.struct_size = sizeof(qlite_report_options), .rounds = options.rounds, .times = options.times};
}

ReportOptions ReadReportOptions(const qlite_report_options& host) {
  ReportOptions options;
  options.rounds = host.rounds;
  options.times = host.times != 0;
  if (const auto result = Optional<ResultBody>(host.reasons, "reasons")) {
    QuantizationResult account;
    account.nodes = result->nodes;
    account.weights = result->weights;
    options.reasons = ReasonsToStayFloat(account);
  }
  return options;
}

struct ReportBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kReport;
  using Handle = qlite_report;

  ReportBody(std::shared_ptr<ContextBody> maker, Report made)
      : MadeWithContext(std::move(maker)), report(std::move(made)) {}

  const ReportRound& Round(size_t index) const { return report.rounds[Checked(index, report.rounds.size(), "round")]; }
  const LayerReport& Layer(size_t index) const { return report.layers[Checked(index, report.layers.size(), "layer")]; }
  const Finding& FindingAt(size_t index) const {
    return report.findings[Checked(index, report.findings.size(), "finding")];
  }

  const Report report;
};

qlite_tensor_statistics AsHost(const TensorStatistics& statistics) {
  return {.min = statistics.min,
          .quartile1 = statistics.quartile1,
          .median = statistics.median,
          .quartile3 = statistics.quartile3,
          .max = statistics.max,
          .mean = statistics.mean,
          .variance = statistics.variance,
          .sparsity = statistics.sparsity};
}

qlite_tensor_report AsHost(const TensorReport& tensor) {
  qlite_tensor_report host = {.struct_size = sizeof(qlite_tensor_report),
                              .node = tensor.node.c_str(),
                              .op = tensor.op.c_str(),
                              .tensor = tensor.tensor.c_str(),
                              .is_output = tensor.is_output,
                              .is_weight = tensor.is_weight,
                              .compared = tensor.comparison.has_value(),
                              .original = AsHost(tensor.original)};
  if (!tensor.comparison) return host;
  host.quantized = AsHost(tensor.comparison->quantized);
  host.clip = tensor.comparison->clip;
  host.cosine = tensor.comparison->cosine;
  host.snr_db = tensor.comparison->snr_db;
  return host;
}

qlite_parameter_report AsHost(const ParameterReport& parameter) {
  return {.struct_size = sizeof(qlite_parameter_report),
          .node = parameter.node.c_str(),
          .op = parameter.op.c_str(),
          .tensor = parameter.tensor.c_str(),
          .elements = parameter.elements,
          .dims = parameter.dims.data(),
          .rank = parameter.dims.size(),
          .scale = parameter.scale,
          .zero_point = parameter.zero_point,
          .bits = parameter.bits,
          .correction_variance = parameter.correction_variance,
          .correction_mean = parameter.correction_mean};
}

constexpr double kNotMeasured = -1;

qlite_layer_report AsHost(const LayerReport& layer) {
  return {.struct_size = sizeof(qlite_layer_report),
          .node = layer.node.c_str(),
          .op = layer.op.c_str(),
          .reason = layer.reason.c_str(),
          .original_bytes = layer.original_bytes,
          .quantized_bytes = layer.quantized_bytes,
          .original_ms = layer.original_ms.value_or(kNotMeasured),
          .quantized_ms = layer.quantized_ms.value_or(kNotMeasured),
          .weight_count = layer.weights.size(),
          .activation_count = layer.activations.size(),
          .integer = layer.integer};
}

qlite_tensor_summary AsHost(const TensorSummary& summary) {
  return {.struct_size = sizeof(qlite_tensor_summary),
          .tensor = summary.tensor.c_str(),
          .elements = summary.elements,
          .scales = summary.scales,
          .bits = summary.bits,
          .compared = summary.snr_db.has_value(),
          .grid_min = summary.grid_min,
          .grid_max = summary.grid_max,
          .min = summary.min,
          .max = summary.max,
          .snr_db = summary.snr_db.value_or(0),
          .cosine = summary.cosine.value_or(0),
          .clip = summary.clip,
          .histogram_min = summary.histogram.min,
          .histogram_max = summary.histogram.max,
          .original_histogram = summary.histogram.original.data(),
          .quantized_histogram = summary.histogram.quantized.data(),
          .original_parts = summary.histogram.original.size(),
          .quantized_parts = summary.histogram.quantized.size()};
}

qlite_finding AsHost(const Finding& finding) {
  return {.struct_size = sizeof(qlite_finding),
          .node = finding.node.c_str(),
          .op = finding.op.c_str(),
          .tensor = finding.tensor.c_str(),
          .evidence = finding.evidence.c_str(),
          .gain_db = finding.gain_db,
          .number_count = finding.numbers.size(),
          .cause = static_cast<qlite_loss_cause>(finding.cause),
          .remedy = static_cast<qlite_remedy>(finding.remedy)};
}

static_assert(static_cast<int>(LossCause::kOutlierChannel) == QLITE_CAUSE_OUTLIER_CHANNEL &&
              static_cast<int>(LossCause::kDeadChannel) == QLITE_CAUSE_DEAD_CHANNEL &&
              static_cast<int>(LossCause::kRangeClipped) == QLITE_CAUSE_RANGE_CLIPPED &&
              static_cast<int>(LossCause::kOneSidedSymmetric) == QLITE_CAUSE_ONE_SIDED_SYMMETRIC &&
              static_cast<int>(LossCause::kDepthwiseSpread) == QLITE_CAUSE_DEPTHWISE_SPREAD &&
              static_cast<int>(LossCause::kMismatchedInputs) == QLITE_CAUSE_MISMATCHED_INPUTS &&
              static_cast<int>(LossCause::kBiasOverflow) == QLITE_CAUSE_BIAS_OVERFLOW &&
              static_cast<int>(LossCause::kSaturation) == QLITE_CAUSE_SATURATION &&
              static_cast<int>(LossCause::kUnlikeSamples) == QLITE_CAUSE_UNLIKE_SAMPLES);
static_assert(static_cast<int>(Remedy::kPerChannel) == QLITE_REMEDY_PER_CHANNEL &&
              static_cast<int>(Remedy::kEqualize) == QLITE_REMEDY_EQUALIZE &&
              static_cast<int>(Remedy::kRemoveOutliers) == QLITE_REMEDY_REMOVE_OUTLIERS &&
              static_cast<int>(Remedy::kFullRange) == QLITE_REMEDY_FULL_RANGE &&
              static_cast<int>(Remedy::kAsymmetric) == QLITE_REMEDY_ASYMMETRIC &&
              static_cast<int>(Remedy::kKeepFloat) == QLITE_REMEDY_KEEP_FLOAT &&
              static_cast<int>(Remedy::kCheckSamples) == QLITE_REMEDY_CHECK_SAMPLES);

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_report_options_init(qlite_report_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultReport());
}

qlite_status qlite_report_create(const qlite_context* context, const qlite_graph* original,
                                 const qlite_graph* quantized, const qlite_data_set* data_set,
                                 const qlite_report_options* options, qlite_report** report) {
  return Make<ContextBody>(context, report, [&](ContextBody& body) {
    const auto before = Needed<GraphBody>(original, "original");
    const auto after = Needed<GraphBody>(quantized, "quantized");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const qlite_report_options read = ReadOptions(options, DefaultReport(), "the report options");
    const auto sensitivity = Optional<SensitivityBody>(read.sensitivity, "sensitivity");
    qlite::Report made =
        Take(qlite::MakeReport(body.context, before->graph, after->graph, *data->data, ReadReportOptions(read)));
    if (sensitivity != nullptr) made.sensitivity = sensitivity->layers;
    return std::make_shared<ReportBody>(Needed<ContextBody>(context, "context"), std::move(made));
  });
}

qlite_status qlite_report_release(qlite_report* report) { return Release<ReportBody>(report); }

qlite_status qlite_report_write_csv(const qlite_report* report, const char* folder) {
  return Call<ReportBody>(
      report, [&](ReportBody& body) { Check(qlite::WriteReportCsv(body.report, Needed(folder, "folder"))); });
}

qlite_status qlite_report_write_html(const qlite_report* report, const char* folder) {
  return Call<ReportBody>(
      report, [&](ReportBody& body) { Check(qlite::WriteReportHtml(body.report, Needed(folder, "folder"))); });
}

qlite_status qlite_report_get_info(const qlite_report* report, qlite_report_info* info) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    WriteStruct(info, {.round_count = body.report.rounds.size(),
                       .parameter_count = body.report.parameters.size(),
                       .layer_count = body.report.layers.size(),
                       .finding_count = body.report.findings.size()});
  });
}

qlite_status qlite_report_get_round(const qlite_report* report, size_t round, size_t* tensor_count,
                                    size_t* output_count) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    *Needed(tensor_count, "tensor_count") = body.Round(round).tensors.size();
    *Needed(output_count, "output_count") = body.Round(round).outputs.size();
  });
}

qlite_status qlite_report_get_tensor(const qlite_report* report, size_t round, size_t index,
                                     qlite_tensor_report* tensor) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<qlite::TensorReport>& tensors = body.Round(round).tensors;
    WriteStruct(tensor, AsHost(tensors[Checked(index, tensors.size(), "tensor")]));
  });
}

qlite_status qlite_report_get_output(const qlite_report* report, size_t round, size_t index, const char** tensor,
                                     double* cosine) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<qlite::OutputReport>& outputs = body.Round(round).outputs;
    const qlite::OutputReport& output = outputs[Checked(index, outputs.size(), "output")];
    *Needed(tensor, "tensor") = output.tensor.c_str();
    *Needed(cosine, "cosine") = output.cosine;
  });
}

qlite_status qlite_report_get_parameter(const qlite_report* report, size_t index, qlite_parameter_report* parameter) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<qlite::ParameterReport>& parameters = body.report.parameters;
    WriteStruct(parameter, AsHost(parameters[Checked(index, parameters.size(), "parameter")]));
  });
}

qlite_status qlite_report_get_layer(const qlite_report* report, size_t index, qlite_layer_report* layer) {
  return Call<ReportBody>(report, [&](ReportBody& body) { WriteStruct(layer, AsHost(body.Layer(index))); });
}

qlite_status qlite_report_get_layer_weight(const qlite_report* report, size_t layer, size_t index,
                                           qlite_tensor_summary* summary) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<qlite::TensorSummary>& weights = body.Layer(layer).weights;
    WriteStruct(summary, AsHost(weights[Checked(index, weights.size(), "weight")]));
  });
}

qlite_status qlite_report_get_layer_activation(const qlite_report* report, size_t layer, size_t index,
                                               qlite_tensor_summary* summary) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<qlite::TensorSummary>& activations = body.Layer(layer).activations;
    WriteStruct(summary, AsHost(activations[Checked(index, activations.size(), "activation")]));
  });
}

// The texts are literals, which end with a zero byte.
const char* qlite_loss_cause_name(qlite_loss_cause cause) {
  const bool known = cause >= QLITE_CAUSE_OUTLIER_CHANNEL && cause <= QLITE_CAUSE_UNLIKE_SAMPLES;
  return known ? qlite::LossCauseName(static_cast<qlite::LossCause>(cause)).data() : "";
}

const char* qlite_remedy_text(qlite_remedy remedy) {
  const bool known = remedy >= QLITE_REMEDY_PER_CHANNEL && remedy <= QLITE_REMEDY_CHECK_SAMPLES;
  return known ? qlite::RemedyText(static_cast<qlite::Remedy>(remedy)).data() : "";
}

qlite_status qlite_report_get_finding(const qlite_report* report, size_t index, qlite_finding* finding) {
  return Call<ReportBody>(report, [&](ReportBody& body) { WriteStruct(finding, AsHost(body.FindingAt(index))); });
}

qlite_status qlite_report_get_finding_number(const qlite_report* report, size_t finding, size_t index,
                                             const char** name, double* value) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    const std::vector<std::pair<std::string, double>>& numbers = body.FindingAt(finding).numbers;
    const auto& [of, number] = numbers[Checked(index, numbers.size(), "number")];
    *Needed(name, "name") = of.c_str();
    *Needed(value, "value") = number;
  });
}
