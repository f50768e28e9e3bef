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

}  // namespace qlite
