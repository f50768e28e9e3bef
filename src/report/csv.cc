// The tables, with the columns of the reference in its order.
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/atomic_file.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/report.h"

namespace qlite {
namespace {

constexpr std::string_view kParameterHeader =
    "NodeName,NodeType,TensorName,ElementsNum,Dims,Scale,ZeroPoint,Bits,CorrectionVar,CorrectionMean,\n";
constexpr std::string_view kRoundHeader =
    ",NodeName,NodeType,TensorName,InOutFlag,DataTypeFlag,TensorTypeFlag,Min,Q1,Median,Q3,Max,Mean,Var,Sparsity,Clip,"
    "CosineSimilarity,\n";
constexpr std::string_view kCauseHeader = "NodeName,NodeType,TensorName,Cause,Evidence,Remedy,GainDb,\n";
constexpr std::string_view kSensitivityHeader = "NodeName,NodeType,Bits,SnrDb,CosineSimilarity,Top1Agreement,\n";
constexpr std::string_view kSummaryHeader = "Round,TensorName,CosineSimilarity,\n";

// A text as one field: quoted where it holds what separates fields.
std::string Field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

// The shortest digits that give the number back; the same in every locale.
template <class T>
std::string Number(T number) {
  char digits[64];
  const std::to_chars_result result = std::to_chars(digits, digits + sizeof(digits), number);
  return std::string(digits, result.ptr);
}

class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  ~Line() { out_ += '\n'; }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Line& Text(std::string_view text) {
    out_ += Field(text);
    out_ += ',';
    return *this;
  }
  template <class T>
  Line& Value(T number) {
    out_ += Number(number);
    out_ += ',';
    return *this;
  }

 private:
  std::string& out_;
};

std::string Parameters(const Report& report) {
  std::string out(kParameterHeader);
  for (const ParameterReport& row : report.parameters) {
    std::string dims;
    for (const int64_t dim : row.dims) StrAppend(&dims, dim, " ");
    Line line(out);
    line.Text(row.node).Text(row.op).Text(row.tensor).Value(row.elements).Text(dims).Value(row.scale);
    line.Value(row.zero_point).Value(row.bits).Value(row.correction_variance).Value(row.correction_mean);
  }
  return out;
}

void AppendTensor(std::string& out, int64_t index, const TensorReport& row, std::string_view data_type,
                  const TensorStatistics& statistics, double clip, double cosine) {
  Line line(out);
  line.Value(index).Text(row.node).Text(row.op).Text(row.tensor).Text(row.is_output ? "Output" : "Input");
  line.Text(data_type).Text(row.is_weight ? "Weight" : "Activation");
  line.Value(statistics.min).Value(statistics.quartile1).Value(statistics.median).Value(statistics.quartile3);
  line.Value(statistics.max).Value(statistics.mean).Value(statistics.variance).Value(statistics.sparsity);
  line.Value(clip).Value(cosine);
}

std::string Round(const ReportRound& round) {
  std::string out(kRoundHeader);
  int64_t index = 0;
  for (const TensorReport& row : round.tensors) {
    AppendTensor(out, index++, row, "Origin", row.original, 0, 1);
    if (!row.comparison.has_value()) continue;
    AppendTensor(out, index++, row, "Dequant", row.comparison->quantized, row.comparison->clip, row.comparison->cosine);
  }
  return out;
}

std::string Summary(const Report& report) {
  std::string out(kSummaryHeader);
  for (size_t round = 0; round < report.rounds.size(); ++round) {
    for (const OutputReport& output : report.rounds[round].outputs) {
      Line(out).Value(round).Text(output.tensor).Value(output.cosine);
    }
  }
  return out;
}

std::string Causes(const Report& report) {
  std::string out(kCauseHeader);
  for (const Finding& row : report.findings) {
    Line line(out);
    line.Text(row.node).Text(row.op).Text(row.tensor).Text(LossCauseName(row.cause)).Text(row.evidence);
    line.Text(RemedyText(row.remedy)).Value(row.gain_db);
  }
  return out;
}

std::string Sensitivity(const Report& report) {
  std::string out(kSensitivityHeader);
  for (const LayerSensitivity& row : report.sensitivity) {
    Line line(out);
    line.Text(row.node).Text(row.op).Value(row.bits).Value(row.loss.snr_db).Value(row.loss.cosine);
    line.Value(row.loss.top1);
  }
  return out;
}

}  // namespace

absl::Status WriteReportCsv(const Report& report, const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::NotFoundError(StrCat(folder, ": there is no such folder to write a report to; make it first"));
  }
  const auto write = [&](const std::string& name, const std::string& text) {
    return WriteFileAtomically((std::filesystem::path(folder) / name).string(), text);
  };
  QLITE_RETURN_IF_ERROR(write("output_summary.csv", Summary(report)));
  for (size_t round = 0; round < report.rounds.size(); ++round) {
    QLITE_RETURN_IF_ERROR(write(StrCat("round_", round, ".csv"), Round(report.rounds[round])));
  }
  if (!report.parameters.empty()) QLITE_RETURN_IF_ERROR(write("quant_param.csv", Parameters(report)));
  QLITE_RETURN_IF_ERROR(write("causes.csv", Causes(report)));
  if (!report.sensitivity.empty()) QLITE_RETURN_IF_ERROR(write("sensitivity.csv", Sensitivity(report)));
  return absl::OkStatus();
}

}  // namespace qlite
