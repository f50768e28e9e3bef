#include "qlite/random_data_set.h"

#include <random>

#include "core/random_input.h"
#include "core/str_cat.h"

namespace qlite {
namespace {

constexpr uint32_t kSeed = 20260101;

class RandomDataSet : public DataSet {
 public:
  RandomDataSet(std::vector<InputSpec> inputs, int64_t count) : inputs_(std::move(inputs)), count_(count) {}

  int64_t size() const override { return count_; }

  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    if (index < 0 || index >= count_) return absl::OutOfRangeError(StrCat("sample ", index, " of ", count_));
    std::mt19937 generator(kSeed + static_cast<uint32_t>(index));
    for (const MutableTensorView& input : inputs) FillRandom(generator, input);
    return absl::OkStatus();
  }

  std::string Describe(int64_t index) const override { return StrCat("random numbers, sample ", index); }
  absl::StatusOr<uint64_t> Fingerprint() const override { return FingerprintSamples(*this, inputs_); }

 private:
  std::vector<InputSpec> inputs_;
  int64_t count_;
};

}  // namespace

std::unique_ptr<DataSet> MakeRandomDataSet(const std::vector<InputSpec>& inputs, int64_t count) {
  return std::make_unique<RandomDataSet>(inputs, count);
}

}  // namespace qlite
