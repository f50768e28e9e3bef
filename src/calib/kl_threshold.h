// The choice of a clipping range by relative entropy.
//
// After Migacz, "8-bit Inference with TensorRT", GTC 2017: among candidate ranges take the one whose quantized
// distribution Q loses least information of the observed distribution P, by the Kullback-Leibler divergence D(P || Q).
// P is the histogram within the range with the mass outside added to its end bins; Q is the histogram within the range,
// its bins merged into as many equal cells as there are integer levels, each cell's mass then spread evenly over those
// of its bins that hold anything. Differences to that talk and to the usual implementations:
//  - The range is that of asymmetric integers: one-sided values (behind a ReLU) have all levels for [0, T], others for
//    [max(min, -T), min(max, T)]; the full range, exactly, is always among the candidates.
//  - A bin that lies across the border of two cells is shared between them in proportion.
//  - Divergence knows no distances: it would clip the rare large values that a network reacts to most. So only those
//    ranges are candidates whose quantization noise is near the smallest (see RangeNoise). Without that, SqueezeNet 1.1
//    keeps its first choice on 59 of 100 pictures, with it on 96.
//  - Counts are 64-bit integers; exact zeros do not count, since every grid represents them exactly.
//  - Sums over the bins of a cell come from prefix sums: a candidate costs O(levels), not O(bins).
#ifndef QLITE_CALIB_KL_THRESHOLD_H_
#define QLITE_CALIB_KL_THRESHOLD_H_

#include <cstdint>
#include <vector>

#include "qlite/observer.h"

namespace qlite::calib {

// Counts by magnitude, from zero outwards, bins as wide as `bin_width`; [min, max] are the extremes.
struct SignedHistogram {
  std::vector<uint64_t> positive, negative;
  double bin_width = 0;
  float min = 0;
  float max = 0;
};

// D(P || Q) of clipping to `negative_bins` bins below zero and `positive_bins` above, with `levels` cells over them.
// At least one bin and one level.
class RangeDivergence {
 public:
  explicit RangeDivergence(const SignedHistogram& histogram);
  double Compute(int64_t negative_bins, int64_t positive_bins, int64_t levels) const;

 private:
  class Cells;
  // Counts, and bins that hold anything. Side by side: they are read together.
  struct Sums {
    double mass = 0, filled = 0;
  };
  double Mass(int64_t begin, int64_t end) const { return sums_[Index(end)].mass - sums_[Index(begin)].mass; }
  size_t Index(int64_t bin) const { return static_cast<size_t>(bin + negative_bins_); }

  int64_t negative_bins_, positive_bins_;
  // Prefix sums along the axis; `sums_` with the last one twice, for the bin behind the range that none reaches into.
  std::vector<Sums> sums_;
  std::vector<double> entropy_;  // of count * ln(count)
};

// The expected squared error of quantizing a histogram with a range: step^2 / 12 for every value inside, for every
// value outside its squared distance to the range, four times: rounding errors have either sign and average out in the
// sums that follow, clipping errors have one sign and do not.
class RangeNoise {
 public:
  explicit RangeNoise(const SignedHistogram& histogram);
  // Clipping to `negative_bins` bins below zero and `positive_bins` above. O(1).
  double Compute(int64_t negative_bins, int64_t positive_bins, int64_t levels) const;

 private:
  // Sums over the bins behind each bin of one side: counts, and counts times the first and second power of magnitudes.
  struct Tail {
    double count = 0, first = 0, second = 0;
  };
  static std::vector<Tail> MakeTails(const std::vector<uint64_t>& counts, double bin_width);
  double bin_width_;
  std::vector<Tail> negative_, positive_;
};

// The best of at most about 512 evenly spaced thresholds and the full range: of those whose noise is at most 1.1 times
// the smallest, the one of least divergence; the first of equals in ascending order. {min, max} where there are too few
// bins to choose.
ObservedRange FindRangeByDivergence(const SignedHistogram& histogram, int bits);

// ln(x) for x > 0 by the kernels' fixed sequence of IEEE operations, so that choices do not depend on the C library.
double PortableLog(double x);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_KL_THRESHOLD_H_
