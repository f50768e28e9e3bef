#include "qlite/report.h"

#include "capi/bodies.h"

namespace qlite::capi {
namespace {

qlite_report_options Defaults() {
  return {.struct_size = sizeof(qlite_report_options), .rounds = ReportOptions().rounds};
}

struct ReportBody : MadeWithContext {
  static constexpr Kind kKind = Kind::kReport;
  using Handle = qlite_report;

  ReportBody(std::shared_ptr<ContextBody> maker, Report made)
      : MadeWithContext(std::move(maker)), report(std::move(made)) {}

  const ReportRound& Round(size_t index) const { return report.rounds[Checked(index, report.rounds.size(), "round")]; }

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

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_report_options_init(qlite_report_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, Defaults());
}

qlite_status qlite_report_create(const qlite_context* context, const qlite_graph* original,
                                 const qlite_graph* quantized, const qlite_data_set* data_set,
                                 const qlite_report_options* options, qlite_report** report) {
  return Make<ContextBody>(context, report, [&](ContextBody& body) {
    const auto before = Needed<GraphBody>(original, "original");
    const auto after = Needed<GraphBody>(quantized, "quantized");
    const auto data = Needed<DataSetBody>(data_set, "data_set");
    const qlite_report_options read = ReadOptions(options, Defaults(), "the report options");
    return std::make_shared<ReportBody>(
        Needed<ContextBody>(context, "context"),
        Take(qlite::MakeReport(body.context, before->graph, after->graph, *data->data, {.rounds = read.rounds})));
  });
}

qlite_status qlite_report_release(qlite_report* report) { return Release<ReportBody>(report); }

qlite_status qlite_report_write_csv(const qlite_report* report, const char* folder) {
  return Call<ReportBody>(
      report, [&](ReportBody& body) { Check(qlite::WriteReportCsv(body.report, Needed(folder, "folder"))); });
}

qlite_status qlite_report_get_info(const qlite_report* report, qlite_report_info* info) {
  return Call<ReportBody>(report, [&](ReportBody& body) {
    WriteStruct(info, {.round_count = body.report.rounds.size(), .parameter_count = body.report.parameters.size()});
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
