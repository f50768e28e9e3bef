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

// "Dead leaves": discs of random place, size and colour over each other, which have what natural pictures have in
// common, edges and flat parts at every scale (Lee, Mumford, Huang, "Occlusion Models for Natural Images",
// International Journal of Computer Vision, 2001). The channels of a colour are alike. Mean 0, standard deviation
// about 1. A sample is made of its index alone, the same on every machine.
class MadeUpPictures : public DataSet {
 public:
  // For a graph whose one input is float32 of rank 4 with 1, 3 or 4 channels, first or last, a known extent and at most
  // 2^22 elements; nothing for others.
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
