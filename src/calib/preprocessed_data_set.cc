#include <utility>

#include "calib/fingerprint.h"
#include "core/error_site.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "qlite/preprocessor.h"

namespace qlite {
namespace {

class PreprocessedDataSet : public DataSet {
 public:
  PreprocessedDataSet(std::shared_ptr<const DataSet> source, std::string name, std::shared_ptr<const Preprocessor> step)
      : source_(std::move(source)), name_(std::move(name)), step_(std::move(step)) {}

  int64_t size() const override { return source_->size(); }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    QLITE_RETURN_IF_ERROR(source_->Read(index, inputs));
    const absl::Status status = step_->Apply(inputs);
    return status.ok() ? status : Prefixed(status, StrCat("preprocessing step ", name_));
  }

  std::string Describe(int64_t index) const override { return source_->Describe(index); }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    absl::StatusOr<uint64_t> source = source_->Fingerprint();
    if (!source.ok()) return source;
    calib::Fingerprinter fingerprint;
    fingerprint.AddInteger(static_cast<int64_t>(*source));
    fingerprint.AddBytes(name_);
    fingerprint.AddBytes(step_->Save());
    return fingerprint.Value();
  }

 private:
  std::shared_ptr<const DataSet> source_;
  std::string name_;
  std::shared_ptr<const Preprocessor> step_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> PreprocessDataSet(std::shared_ptr<const DataSet> source, std::string name,
                                                           std::shared_ptr<const Preprocessor> step) {
  if (source == nullptr || step == nullptr) return absl::InvalidArgumentError("the data set or the step is null");
  return std::make_unique<PreprocessedDataSet>(std::move(source), std::move(name), std::move(step));
}

}  // namespace qlite
