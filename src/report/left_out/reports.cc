// Takes the place of the files of this folder in a build without reports (QLITE_REPORTS=OFF).
#include "qlite/report.h"

namespace qlite {
namespace {

absl::Status LeftOut() {
  return absl::UnimplementedError("this library was built without reports (QLITE_REPORTS=OFF)");
}

}  // namespace

absl::StatusOr<Report> MakeReport(const Context&, const Graph&, const Graph&, const DataSet&, const ReportOptions&) {
  return LeftOut();
}

absl::Status WriteReportCsv(const Report&, const std::string&) { return LeftOut(); }
absl::Status WriteReportHtml(const Report&, const std::string&) { return LeftOut(); }

std::map<std::string, std::string> ReasonsToStayFloat(const QuantizationResult&) { return {}; }
std::string_view LossCauseName(LossCause) { return ""; }
std::string_view RemedyText(Remedy) { return ""; }

}  // namespace qlite
