#include <cstring>
#include <utility>

#include "calib/fingerprint.h"
#include "calib/sample_buffers.h"
#include "core/error_site.h"
#include "core/str_cat.h"
#include "qlite/data_set.h"

namespace qlite {
namespace {

class MemoryDataSet : public DataSet {
 public:
  // bytes[input]: the size of one sample of that input.
  MemoryDataSet(std::vector<Buffer> inputs, std::vector<size_t> bytes, int64_t size)
      : inputs_(std::move(inputs)), bytes_(std::move(bytes)), size_(size) {}

  int64_t size() const override { return size_; }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index < 0 || index >= size_) return absl::OutOfRangeError(StrCat("sample ", index, " of ", size_));
    if (inputs.size() != inputs_.size()) {
      return absl::InvalidArgumentError(
          StrCat("the data set feeds ", inputs_.size(), " inputs, but the model takes ", inputs.size()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].bytes != bytes_[i]) {
        return absl::InvalidArgumentError(
            StrCat("input ", i, " of a sample has ", bytes_[i], " bytes, but the model takes ", inputs[i].bytes));
      }
      if (bytes_[i] > 0) {
        std::memcpy(inputs[i].data, inputs_[i].data + static_cast<size_t>(index) * bytes_[i], bytes_[i]);
      }
    }
    return absl::OkStatus();
  }

  std::string Describe(int64_t index) const override { return StrCat("in memory, number ", index); }

  absl::StatusOr<uint64_t> Fingerprint() const override {
    calib::Fingerprinter fingerprint;
    fingerprint.AddInteger(size_);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const size_t used = bytes_[i] * static_cast<size_t>(size_);
      fingerprint.AddBytes({reinterpret_cast<const char*>(inputs_[i].data), used});
    }
    return fingerprint.Value();
  }

 private:
  std::vector<Buffer> inputs_;
  std::vector<size_t> bytes_;
  int64_t size_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DataSet>> MakeMemoryDataSet(const std::vector<InputSpec>& inputs,
                                                           std::vector<Buffer> samples) {
  if (inputs.empty() || inputs.size() != samples.size()) {
    return absl::InvalidArgumentError(
        StrCat("the model has ", inputs.size(), " inputs, but samples of ", samples.size(), " were given"));
  }
  std::vector<size_t> bytes;
  int64_t size = -1;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const absl::StatusOr<size_t> of_one = calib::InputBytes(inputs[i]);
    if (!of_one.ok()) return of_one.status();
    if (*of_one == 0 || samples[i].size % *of_one != 0) {
      return AtValue(absl::InvalidArgumentError(StrCat("input '", inputs[i].name, "': ", samples[i].size,
                                                       " bytes are no whole number of samples of ", *of_one, " bytes")),
                     inputs[i].name);
    }
    const int64_t count = static_cast<int64_t>(samples[i].size / *of_one);
    if (size >= 0 && count != size) {
      return AtValue(absl::InvalidArgumentError(
                         StrCat("input '", inputs[i].name, "' has ", count, " samples, but the first one ", size)),
                     inputs[i].name);
    }
    size = count;
    bytes.push_back(*of_one);
  }
  return std::make_unique<MemoryDataSet>(std::move(samples), std::move(bytes), size);
}

absl::StatusOr<uint64_t> FingerprintSamples(const DataSet& data, const std::vector<InputSpec>& inputs) {
  absl::StatusOr<calib::SampleBuffers> buffers = calib::SampleBuffers::Create(inputs);
  if (!buffers.ok()) return buffers.status();
  calib::Fingerprinter fingerprint;
  fingerprint.AddInteger(data.size());
  for (int64_t sample = 0; sample < data.size(); ++sample) {
    if (absl::Status status = data.Read(sample, buffers->views()); !status.ok()) return status;
    for (const MutableTensorView& view : buffers->views()) {
      fingerprint.AddBytes({static_cast<const char*>(view.data), view.bytes});
    }
  }
  return fingerprint.Value();
}

}  // namespace qlite
