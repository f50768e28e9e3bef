#include <utility>

#include "absl/strings/str_join.h"
#include "calib/fingerprint.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"

namespace qlite {
namespace {

class CombinedDataSet : public DataSet {
 public:
  explicit CombinedDataSet(std::vector<std::unique_ptr<DataSet>> parts) : parts_(std::move(parts)) {}

  int64_t size() const override { return parts_.front()->size(); }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (inputs.size() != parts_.size()) {
      return absl::InvalidArgumentError(
          StrCat("the data sets feed ", parts_.size(), " inputs, but the model takes ", inputs.size()));
    }
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (absl::Status status = parts_[i]->Read(index, inputs.subspan(i, 1)); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string Describe(int64_t index) const override {
    return absl::StrJoin(parts_, ", ", [index](std::string* out, const std::unique_ptr<DataSet>& part) {
      out->append(part->Describe(index));
    });
  }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    calib::Fingerprinter fingerprint;
    for (const std::unique_ptr<DataSet>& part : parts_) {
      absl::StatusOr<uint64_t> of_part = part->Fingerprint();
      if (!of_part.ok()) return of_part.status();
      fingerprint.AddInteger(static_cast<int64_t>(*of_part));
    }
    return fingerprint.Value();
  }

 private:
  std::vector<std::unique_ptr<DataSet>> parts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> CombineDataSets(std::vector<std::unique_ptr<DataSet>> per_input) {
  if (per_input.empty()) return absl::InvalidArgumentError("no data sets to combine");
  for (size_t i = 0; i < per_input.size(); ++i) {
    if (per_input[i] == nullptr) return absl::InvalidArgumentError(StrCat("data set ", i, " is null"));
    if (per_input[i]->size() != per_input[0]->size()) {
      return absl::InvalidArgumentError(
          StrCat("data set ", i, " has ", per_input[i]->size(), " samples, but the first one ", per_input[0]->size()));
    }
  }
  return std::make_unique<CombinedDataSet>(std::move(per_input));
}

}  // namespace qlite
