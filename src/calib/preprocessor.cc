#include "qlite/preprocessor.h"

#include "calib/standardize.h"

namespace qlite {

absl::Status Preprocessor::Observe(std::span<const MutableTensorView>) {
  return absl::UnimplementedError("this preprocessing step does not learn from samples");
}

absl::Status Preprocessor::Merge(const Preprocessor&) {
  return absl::UnimplementedError("this preprocessing step does not learn from samples");
}

PreprocessorRegistry PreprocessorRegistry::Default() {
  return {"preprocessing step", {{"STANDARDIZE", calib::MakeStandardize}}};
}

}  // namespace qlite
