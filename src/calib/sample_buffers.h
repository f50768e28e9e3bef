// Memory for one sample: a buffer for each input that a data set feeds.
#ifndef QLITE_CALIB_SAMPLE_BUFFERS_H_
#define QLITE_CALIB_SAMPLE_BUFFERS_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/data_set.h"
#include "qlite/tensor.h"

namespace qlite::calib {

// Movable; the views point into it and into the specs it was made from, which must outlive it.
class SampleBuffers {
 public:
  static absl::StatusOr<SampleBuffers> Create(const std::vector<InputSpec>& inputs);
  const std::vector<MutableTensorView>& views() const { return views_; }

 private:
  std::vector<std::vector<std::byte>> memory_;
  std::vector<MutableTensorView> views_;
};

// The bytes of one sample of the input; an error where extents are negative or too large.
absl::StatusOr<size_t> InputBytes(const InputSpec& input);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_SAMPLE_BUFFERS_H_
