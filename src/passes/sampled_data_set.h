// Some of the samples of a data set.
#ifndef QLITE_PASSES_SAMPLED_DATA_SET_H_
#define QLITE_PASSES_SAMPLED_DATA_SET_H_

#include <algorithm>
#include <span>
#include <string>

#include "qlite/data_set.h"

namespace qlite {

// `count` samples (at most as many as there are), spread evenly, so that a set sorted by class gives some of each. The
// whole set must outlive it.
class SampledDataSet : public DataSet {
 public:
  SampledDataSet(const DataSet& whole, int64_t count) : whole_(whole), count_(std::min(count, whole.size())) {}

  int64_t size() const override { return count_; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override {
    return whole_.Read(Original(index), inputs);
  }
  std::string Describe(int64_t index) const override { return whole_.Describe(Original(index)); }
  // What is made of these samples is not kept, so nothing has to tell them from others.
  absl::StatusOr<uint64_t> Fingerprint() const override { return uint64_t{0}; }

 private:
  int64_t Original(int64_t index) const { return index * whole_.size() / count_; }

  const DataSet& whole_;
  int64_t count_;
};

}  // namespace qlite

#endif  // QLITE_PASSES_SAMPLED_DATA_SET_H_
