#include "calib/builtin_observers.h"
#include "core/str_cat.h"
#include "qlite/observer.h"

namespace qlite {
namespace calib {

absl::Status DifferentKinds() { return absl::InvalidArgumentError("observers of different kinds cannot be merged"); }

absl::Status DamagedState(std::string_view method) {
  return absl::DataLossError(StrCat("the saved state of a ", method, " observer is damaged"));
}

absl::Status NothingObserved() { return absl::FailedPreconditionError("no values were observed"); }

absl::Status CheckBits(int bits) {
  if (bits >= 2 && bits <= 16) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("a range for ", bits, " bits: expected 2 to 16"));
}

}  // namespace calib

ObserverRegistry ObserverRegistry::Default() {
  return {"observer",
          {{"MAX_MIN", calib::MakeMinMaxObserver},
           {"KL", calib::MakeKlObserver},
           {"REMOVAL_OUTLIER", calib::MakeOutlierObserver},
           {"RemovalOutlier", calib::MakeOutlierObserver}}};
}

}  // namespace qlite
