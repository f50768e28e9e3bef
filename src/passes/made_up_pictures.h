// Samples for a network of pictures that came without any.
#ifndef QLITE_PASSES_MADE_UP_PICTURES_H_
#define QLITE_PASSES_MADE_UP_PICTURES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

// Noise with what all natural pictures have in common: every octave of spatial frequency holds the same energy, so that
// neighbouring pixels are alike (Field, "Relations between the statistics of natural images and the response properties
// of cortical cells", Journal of the Optical Society of America A, 1987), and so are the colours of a pixel. Mean 0,
// standard deviation about 1. A sample is made of its index alone, the same on every machine.
class MadeUpPictures : public DataSet {
 public:
  // For a graph whose one input is float32 of rank 4 with 1, 3 or 4 channels, first or last, and a known extent;
  // nothing for others.
  static std::optional<MadeUpPictures> For(const Graph& graph, int64_t count);

  int64_t size() const override { return count_; }
  absl::Status Read(int64_t index, std::span<const MutableTensorView> inputs) const override;
  std::string Describe(int64_t index) const override;
  absl::StatusOr<uint64_t> Fingerprint() const override { return uint64_t{0}; }

 private:
  MadeUpPictures(int64_t count, bool channels_last) : count_(count), channels_last_(channels_last) {}

  int64_t count_;
  bool channels_last_;
};

}  // namespace qlite

#endif  // QLITE_PASSES_MADE_UP_PICTURES_H_
