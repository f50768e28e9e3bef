// A histogram of signed values, zeros left out, whose final state does not depend on the order in which they come.
//
// Bins are as wide as a power of two and counted from zero to either side: x falls into bin floor(|x| / 2^k) of its
// sign. When a value lies beyond the last bin, k grows and bins are merged in pairs, which is exact:
// floor(floor(y) / 2) = floor(y / 2). The final k depends on the largest magnitude alone, so that any order of values,
// and any merge of histograms of parts, ends in the same counts. At the end between half of the bins and all of them
// are in use on the side of the largest magnitude.
#ifndef QLITE_CALIB_MAGNITUDE_HISTOGRAM_H_
#define QLITE_CALIB_MAGNITUDE_HISTOGRAM_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "calib/byte_stream.h"
#include "calib/value_range.h"

namespace qlite::calib {

class MagnitudeHistogram {
 public:
  // Bins on either side.
  static constexpr int kBins = 4096;

  // Of more than kDenseValues values at once, runs of kRunValues at even distances are counted, kCountedValues or up to
  // twice as many together: the shape of a large tensor's distribution shows in a part of it. The range takes in every
  // value.
  static constexpr size_t kDenseValues = 8192;
  static constexpr size_t kCountedValues = 4096;
  static constexpr size_t kRunValues = 256;

  // The values are finite, and `range` holds the least and the greatest of them.
  void Add(std::span<const float> values, const ObservedRange& range);
  void Merge(const MagnitudeHistogram& other);

  const ValueRange& range() const { return range_; }
  double bin_width() const;
  // Counts from zero outwards, without the bins behind the last one in use.
  std::vector<uint64_t> PositiveCounts() const { return Counts(0); }
  std::vector<uint64_t> NegativeCounts() const { return Counts(1); }

  void Save(ByteWriter* out) const;
  // False, with the histogram unchanged, for what Save cannot have written.
  bool Load(ByteReader* in);

 private:
  // Keeps the width and its reciprocal among the normal floats; smaller values share the first bin.
  static constexpr int kLowestExponent = -120;
  // Counts of one sign by bin, as many as have been needed.
  using Side = std::vector<uint64_t>;

  // Moves the recent counts to the sides.
  void Settle();
  // The bins that the range reaches.
  int64_t ReachableBins(size_t side) const;
  // Into the nearest cache: counting goes to them in no order that the hardware could guess.
  void FetchRecent() const;
  void AddRecent(size_t side, Side* counts) const;
  std::vector<uint64_t> Counts(size_t side) const;
  void WidenBins(int exponent);
  // The exponent of the narrowest bins that reach beyond `magnitude`.
  static int ExponentFor(float magnitude);

  ValueRange range_;
  int exponent_ = kLowestExponent;  // of the bin width
  std::array<Side, 2> sides_;       // positive, negative
  // Counts of what was added last, in counters small enough to stay in the caches from one sample to the next.
  std::vector<uint16_t> recent_;
  size_t recent_values_ = 0;  // no recent counter holds more
};

}  // namespace qlite::calib

#endif  // QLITE_CALIB_MAGNITUDE_HISTOGRAM_H_
