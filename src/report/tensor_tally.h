// What is gathered of a float tensor and its quantized counterpart over all samples, as a whole and by channel.
#ifndef QLITE_REPORT_TENSOR_TALLY_H_
#define QLITE_REPORT_TENSOR_TALLY_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "qlite/quant_params.h"
#include "qlite/types.h"

namespace qlite::report {

// The real numbers that integers with one pair of scale and zero point, or with several, stand for.
struct Grid {
  int bits = 32;
  int64_t pairs = 0;
  QuantScheme scheme = QuantScheme::kAsymmetric;
  bool narrow_range = false;
  float scale = 0;         // of the first pair
  int32_t zero_point = 0;  // likewise
  float min = 0, max = 0;  // the outermost of all pairs

  static Grid Of(const QuantParams& params, ElementType type);
};

// Sums of doubles: over the elements of a sample in their order, and of these over the samples in theirs.
struct ChannelTally {
  float min = std::numeric_limits<float>::infinity(), max = -std::numeric_limits<float>::infinity();
  float quantized_min = std::numeric_limits<float>::infinity(), quantized_max = -std::numeric_limits<float>::infinity();
  double signal = 0;    // energy of the float tensor
  double noise = 0;     // energy of the difference to the quantized tensor
  double rounding = 0;  // what the grid alone does to the float values inside of it
  double clipping = 0;  // and to those outside
  double absolute = 0;  // sum of the float magnitudes
  int64_t count = 0;

  void Add(const ChannelTally& other);
  float magnitude() const { return count == 0 ? 0.0f : std::max(-min, max); }
};

class TensorTally {
 public:
  // One more sample. `quantized` is empty or as long as `original`; channels lie along `channel_axis` of `dims` (-1:
  // the tensor is one channel). With `grid` of one pair, rounding and clipping are counted as well.
  void Add(std::span<const int64_t> dims, int64_t channel_axis, std::span<const float> original,
           std::span<const float> quantized, const Grid& grid);

  // What `later` holds, of the same tensor, comes behind what is here.
  void Append(const TensorTally& later);

  const std::vector<ChannelTally>& channels() const { return channels_; }
  ChannelTally Total() const;
  // Largest magnitude of each sample.
  const std::vector<float>& sample_magnitudes() const { return sample_magnitudes_; }
  bool compared() const { return compared_ > 0; }
  double Cosine() const;  // as TensorComparison::cosine, of all samples as one vector
  double SnrDb() const;
  // Share of the float elements that lie beyond the grid.
  double Clip() const { return elements_ == 0 ? 0 : static_cast<double>(clipped_) / static_cast<double>(elements_); }
  // Quantized elements at an end of the grid where the float one lies two steps or more inside.
  struct End {
    int64_t saturated = 0, near = 0;  // near: float elements within half a step of the end
    double noise = 0;                 // of the saturated ones
  };
  const End& low_end() const { return low_; }
  const End& high_end() const { return high_; }
  int64_t elements() const { return elements_; }  // of all samples

 private:
  void AddRun(ChannelTally& channel, std::span<const float> original, std::span<const float> quantized,
              const Grid& grid, float* magnitude);

  std::vector<ChannelTally> channels_;
  std::vector<float> sample_magnitudes_;
  double dot_ = 0, quantized_signal_ = 0;
  int64_t elements_ = 0, compared_ = 0, clipped_ = 0;
  End low_, high_;
};

// 10 log10(signal / noise): infinite without noise.
double Decibels(double signal, double noise);

}  // namespace qlite::report

#endif  // QLITE_REPORT_TENSOR_TALLY_H_
