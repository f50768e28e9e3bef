// The page: the figures as JSON inside of what cmake/EmbedPage.cmake made of page/.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <system_error>

#include "core/atomic_file.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/report.h"
#include "qlite/version.h"
#include "report/json.h"
#include "report_page.h"

namespace qlite {
namespace {

using report::JsonWriter;

// Layers that are shown with histograms, those with the largest error, and findings.
constexpr size_t kMostHistograms = 2000, kMostFindings = 1000;

// The number of values as heights on a logarithmic scale: a digit of base 36 each, so that a chart takes as many bytes
// as it has bars.
std::string Heights(const std::vector<uint64_t>& counts) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  const double most = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  std::string heights;
  for (const uint64_t count : counts) {
    const double height = most > 0 ? std::log1p(static_cast<double>(count)) / std::log1p(most) : 0;
    heights += kDigits[static_cast<size_t>(std::lround(height * (kDigits.size() - 1)))];
  }
  return heights;
}

void WriteTensor(const TensorSummary& tensor, bool with_histogram, JsonWriter& json) {
  json.BeginObject().Key("name").Text(tensor.tensor).Key("bits").Integer(tensor.bits);
  json.Key("scales").Integer(tensor.scales);
  if (tensor.scales > 0) {
    json.Key("grid").BeginArray().Number(static_cast<double>(tensor.grid_min));
    json.Number(static_cast<double>(tensor.grid_max)).EndArray();
  }
  json.Key("min").Number(static_cast<double>(tensor.min)).Key("max").Number(static_cast<double>(tensor.max));
  if (tensor.snr_db) json.Key("snr").Number(*tensor.snr_db);
  if (tensor.cosine) json.Key("cosine").Number(*tensor.cosine);
  json.Key("clip").Number(tensor.clip);
  const TensorHistogram& histogram = tensor.histogram;
  if (with_histogram && !histogram.original.empty()) {
    json.Key("low").Number(static_cast<double>(histogram.min)).Key("high").Number(static_cast<double>(histogram.max));
    json.Key("float_counts").Text(Heights(histogram.original));
    if (!histogram.quantized.empty()) json.Key("quantized_counts").Text(Heights(histogram.quantized));
  }
  json.EndObject();
}

double WorstSnr(const LayerReport& layer) {
  double worst = std::numeric_limits<double>::infinity();
  for (const auto* tensors : {&layer.weights, &layer.activations}) {
    for (const TensorSummary& tensor : *tensors) worst = std::min(worst, tensor.snr_db.value_or(worst));
  }
  return worst;
}

// Which layers are shown with histograms.
std::vector<char> WorstLayers(const std::vector<LayerReport>& layers) {
  std::vector<std::pair<double, size_t>> errors;
  for (size_t i = 0; i < layers.size(); ++i) errors.emplace_back(WorstSnr(layers[i]), i);
  const size_t count = std::min(kMostHistograms, layers.size());
  std::partial_sort(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(count), errors.end());
  std::vector<char> chosen(layers.size(), 0);
  for (size_t i = 0; i < count; ++i) chosen[errors[i].second] = 1;
  return chosen;
}

void WriteLayer(const LayerReport& layer, bool with_histograms, JsonWriter& json) {
  json.BeginObject().Key("node").Text(layer.node).Key("op").Text(layer.op).Key("integer").Bool(layer.integer);
  if (!layer.reason.empty()) json.Key("reason").Text(layer.reason);
  json.Key("before").Integer(layer.original_bytes).Key("after").Integer(layer.quantized_bytes);
  if (layer.original_ms) json.Key("float_ms").Number(*layer.original_ms);
  if (layer.quantized_ms) json.Key("quantized_ms").Number(*layer.quantized_ms);
  for (const auto& [name, tensors] :
       {std::pair("weights", &layer.weights), std::pair("activations", &layer.activations)}) {
    json.Key(name).BeginArray();
    for (const TensorSummary& tensor : *tensors) WriteTensor(tensor, with_histograms, json);
    json.EndArray();
  }
  json.EndObject();
}

// Mean and worst cosine of every output over the samples.
void WriteOutputs(const std::vector<ReportRound>& rounds, JsonWriter& json) {
  json.Key("outputs").BeginArray();
  for (size_t i = 0; !rounds.empty() && i < rounds[0].outputs.size(); ++i) {
    double sum = 0, worst = 1;
    for (const ReportRound& round : rounds) {
      sum += round.outputs[i].cosine;
      worst = std::min(worst, round.outputs[i].cosine);
    }
    json.BeginObject().Key("name").Text(rounds[0].outputs[i].tensor);
    json.Key("cosine").Number(sum / static_cast<double>(rounds.size())).Key("worst").Number(worst).EndObject();
  }
  json.EndArray();
}

void WriteApplied(const std::vector<AppliedRemedy>& applied, JsonWriter& json) {
  json.Key("applied").BeginArray();
  for (const AppliedRemedy& remedy : applied) {
    json.BeginObject().Key("change").Text(remedy.change).Key("expected").Number(remedy.expected_db);
    json.Key("before").Number(remedy.before_db).Key("after").Number(remedy.after_db).EndObject();
  }
  json.EndArray();
}

void WriteFindings(const std::vector<Finding>& findings, JsonWriter& json) {
  json.Key("findings").BeginArray();
  for (size_t i = 0; i < std::min(findings.size(), kMostFindings); ++i) {
    const Finding& finding = findings[i];
    json.BeginObject().Key("node").Text(finding.node).Key("tensor").Text(finding.tensor);
    json.Key("cause").Text(LossCauseName(finding.cause)).Key("evidence").Text(finding.evidence);
    json.Key("remedy").Text(RemedyText(finding.remedy)).Key("gain").Number(finding.gain_db).EndObject();
  }
  json.EndArray();
}

void WriteSensitivity(const std::vector<LayerSensitivity>& layers, JsonWriter& json) {
  json.Key("sensitivity").BeginArray();
  for (const LayerSensitivity& layer : layers) {
    json.BeginObject().Key("node").Text(layer.node).Key("op").Text(layer.op).Key("snr").Number(layer.loss.snr_db);
    json.Key("cosine").Number(layer.loss.cosine).Key("top1").Number(layer.loss.top1).EndObject();
  }
  json.EndArray();
}

std::string Figures(const Report& report) {
  JsonWriter json;
  json.BeginObject().Key("version").Text(LibraryVersion()).Key("model").Text(report.model);
  json.Key("samples").Integer(report.rounds.size());
  WriteOutputs(report.rounds, json);
  const std::vector<char> worst = WorstLayers(report.layers);
  json.Key("layers").BeginArray();
  for (size_t i = 0; i < report.layers.size(); ++i) WriteLayer(report.layers[i], worst[i] != 0, json);
  json.EndArray();
  WriteFindings(report.findings, json);
  WriteApplied(report.applied, json);
  WriteSensitivity(report.sensitivity, json);
  json.EndObject();
  return std::move(json).Take();
}

}  // namespace

absl::Status WriteReportHtml(const Report& report, const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(StrCat(folder, ": there is no such folder to write a report to; make it first"));
  }
  constexpr std::string_view kPlace = "@DATA@";
  const size_t place = report::kPage.find(kPlace);
  const std::string page =
      StrCat(report::kPage.substr(0, place), Figures(report), report::kPage.substr(place + kPlace.size()));
  return WriteFileAtomically((std::filesystem::path(folder) / "report.html").string(), page);
}

}  // namespace qlite
