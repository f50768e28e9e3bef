// What the tests of the int8 kernels share: data with extreme values, and the requantization of kernels/quantized.h
// written down naively.
#ifndef QLITE_TESTS_KERNELS_U8_TEST_UTIL_H_
#define QLITE_TESTS_KERNELS_U8_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/guarded_memory.h"
#include "kernels/kernel_test_util.h"
#include "kernels/quantized.h"

namespace qlite::kernels {

enum class Extremes { kNone, kSome, kAll };

inline bool PickExtreme(Sequence& sequence, Extremes extremes) {
  return extremes == Extremes::kAll || (extremes == Extremes::kSome && sequence.Next() % 4 == 0);
}

// `count` bytes, the slack that kernels may read included behind them.
inline Guarded<uint8_t> Bytes(Sequence& sequence, int64_t count, Extremes extremes = Extremes::kSome) {
  Guarded<uint8_t> values(static_cast<size_t>(count) + kReadSlackBytes);
  for (uint8_t& v : values) {
    v = PickExtreme(sequence, extremes) ? (sequence.Next() % 2 == 0 ? 0 : 255) : static_cast<uint8_t>(sequence.Next());
  }
  return values;
}

inline std::vector<int8_t> Weights(Sequence& sequence, int64_t count, Extremes extremes = Extremes::kSome) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (int8_t& v : values) {
    v = PickExtreme(sequence, extremes) ? (sequence.Next() % 2 == 0 ? -128 : 127)
                                        : static_cast<int8_t>(sequence.Next());
  }
  return values;
}

inline std::vector<int32_t> Biases(Sequence& sequence, int64_t count) {
  std::vector<int32_t> values(static_cast<size_t>(count));
  for (int32_t& v : values) v = static_cast<int32_t>(sequence.Next() % 20001) - 10000;
  return values;
}

// Multipliers that spread sums of `terms` products over a little more than a byte, and in every other vector now and
// then a huge one.
inline std::vector<float> Multipliers(Sequence& sequence, int64_t count, int64_t terms) {
  std::vector<float> values(static_cast<size_t>(count));
  const float scale = 1.0f / (100.0f * std::sqrt(static_cast<float>(terms) + 1.0f));
  const uint32_t huge_every = sequence.Next() % 2 == 0 ? 16 : 0xffffffff;
  for (float& v : values) v = sequence.Next() % huge_every == 0 ? 1e30f : scale * sequence.Uniform(0.1f, 2.0f);
  return values;
}

// y = z_out + rne(clamp(t, lo - z_out, hi - z_out)), NaN to the upper bound.
inline uint8_t QuantizeOutput(float t, const OutputQuantization& q) {
  const float lo = static_cast<float>(q.lo - q.zero_point);
  const float hi = static_cast<float>(q.hi - q.zero_point);
  if (!(t < hi)) t = hi;
  if (!(t > lo)) t = lo;
  return static_cast<uint8_t>(q.zero_point + static_cast<int32_t>(std::nearbyint(t)));
}

inline uint8_t Requantize(int64_t accumulator, float multiplier, const OutputQuantization& q) {
  return QuantizeOutput(static_cast<float>(static_cast<int32_t>(accumulator)) * multiplier, q);
}

// Packed weights or a workspace.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t bytes) : bytes_((bytes + kPackedAlignment - 1) / kPackedAlignment * kPackedAlignment) {}
  void* get() { return bytes_.data(); }

 private:
  Guarded<uint8_t> bytes_;
};

// Runs [0, units) in pieces of `piece` units, the last piece first, each with a workspace of its own.
template <class RunRange>
void RunInPieces(int64_t units, int64_t piece, size_t workspace_bytes, RunRange run) {
  if (units == 0) return;
  for (int64_t begin = (units - 1) / piece * piece; begin >= 0; begin -= piece) {
    AlignedBytes workspace(workspace_bytes);
    run(begin, std::min(begin + piece, units), workspace.get());
  }
}

}  // namespace qlite::kernels

#endif  // QLITE_TESTS_KERNELS_U8_TEST_UTIL_H_
