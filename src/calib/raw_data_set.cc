#include <cstdlib>
#include <utility>

#include "absl/strings/str_join.h"
#include "calib/files.h"
#include "calib/fingerprint.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"

namespace qlite {
namespace {

class RawDataSet : public DataSet {
 public:
  // files[input][sample], as many samples for each input; bytes[input] is the size of each of its files.
  RawDataSet(std::vector<std::vector<std::string>> files, std::vector<uint64_t> bytes)
      : files_(std::move(files)), bytes_(std::move(bytes)) {}

  int64_t size() const override { return static_cast<int64_t>(files_.front().size()); }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index < 0 || index >= size()) return absl::OutOfRangeError(StrCat("sample ", index, " of ", size()));
    if (inputs.size() != files_.size()) {
      return absl::InvalidArgumentError(
          StrCat("the data set feeds ", files_.size(), " inputs, but the model takes ", inputs.size()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::span<char> out(static_cast<char*>(inputs[i].data), inputs[i].bytes);
      const absl::Status status = calib::ReadExactly(files_[i][static_cast<size_t>(index)], out);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string Describe(int64_t index) const override {
    std::vector<std::string> paths;
    for (const std::vector<std::string>& of_input : files_) paths.push_back(of_input[static_cast<size_t>(index)]);
    return absl::StrJoin(paths, ", ");
  }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    calib::Fingerprinter fingerprint;
    for (size_t i = 0; i < files_.size(); ++i) {
      fingerprint.AddInteger(static_cast<int64_t>(files_[i].size()));
      for (const std::string& path : files_[i]) {
        absl::StatusOr<std::string> bytes = calib::ReadWholeFile(path, bytes_[i]);
        if (!bytes.ok()) return bytes.status();
        fingerprint.AddBytes(calib::BaseName(path));
        fingerprint.AddBytes(*bytes);
      }
    }
    return fingerprint.Value();
  }

 private:
  std::vector<std::vector<std::string>> files_;
  std::vector<uint64_t> bytes_;
};

absl::Status CheckSizes(const InputSpec& input, const std::vector<std::string>& files, uint64_t bytes) {
  for (const std::string& path : files) {
    absl::StatusOr<uint64_t> size = calib::FileSize(path);
    if (!size.ok()) return size.status();
    if (*size != bytes) {
      return AtValue(AtFile(absl::InvalidArgumentError(StrCat(path, ": the file has ", *size, " bytes, but input '",
                                                              input.name, "' (", ElementTypeName(input.type), "[",
                                                              absl::StrJoin(input.dims, ","), "]) takes ", bytes)),
                            path),
                     input.name);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> OpenRawDataSet(const std::vector<InputSpec>& inputs,
                                                        const std::vector<std::string>& folders, int64_t count) {
  if (inputs.empty() || inputs.size() != folders.size()) {
    return absl::InvalidArgumentError(
        StrCat("the model has ", inputs.size(), " inputs, but ", folders.size(), " folders were given"));
  }
  std::vector<std::vector<std::string>> files;
  std::vector<uint64_t> bytes;
  for (size_t i = 0; i < inputs.size(); ++i) {
    absl::StatusOr<int64_t> elements = ElementCount(inputs[i].dims, ElementSize(inputs[i].type));
    if (!elements.ok()) return elements.status();
    bytes.push_back(static_cast<uint64_t>(*elements) * ElementSize(inputs[i].type));
    absl::StatusOr<std::vector<std::string>> listed = calib::ListFiles(folders[i]);
    if (listed.ok()) listed = calib::TakeFirst(*std::move(listed), count, folders[i]);
    if (!listed.ok()) return listed.status();
    if (i > 0 && listed->size() != files.front().size()) {
      return AtFile(absl::InvalidArgumentError(StrCat(folders[i], ": ", listed->size(), " files, but ", folders[0],
                                                      " has ", files.front().size(), "; sample i is file i of each")),
                    folders[i]);
    }
    if (absl::Status status = CheckSizes(inputs[i], *listed, bytes.back()); !status.ok()) return status;
    files.push_back(*std::move(listed));
  }
  return std::make_unique<RawDataSet>(std::move(files), std::move(bytes));
}

}  // namespace qlite
