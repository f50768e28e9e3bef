#include "qlite/calibrator.h"
namespace qlite {
absl::StatusOr<std::vector<InputWarning>> Calibrator::CheckInputStatistics(const DataSet&, const Graph&) { return std::vector<InputWarning>(); }
}
