#include "report/tensor_tally.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qlite::report {
namespace {

// Squared norms below this are those of a zero vector.
constexpr double kTinySignal = std::numeric_limits<double>::epsilon();
constexpr float kStepsInside = 2;

// What becomes of x on the grid, before it is cut off at the ends.
float Rounded(float x, const Grid& grid) {
  return std::clamp(std::nearbyint(x / grid.scale) * grid.scale, grid.min, grid.max);
}

double Squared(double x) { return x * x; }

void CountEnd(bool near, bool saturated, double error, TensorTally::End& end) {
  end.near += near ? 1 : 0;
  end.saturated += saturated ? 1 : 0;
  end.noise += saturated ? error : 0;
}

}  // namespace

Grid Grid::Of(const QuantParams& params, ElementType type) {
  Grid grid;
  if (params.scales.empty() || type == ElementType::kFloat32) return grid;
  grid.bits = params.bits;
  grid.pairs = static_cast<int64_t>(params.scales.size());
  grid.scheme = params.scheme;
  grid.narrow_range = params.narrow_range;
  grid.scale = params.scales[0];
  grid.zero_point = params.zero_points[0];
  grid.min = std::numeric_limits<float>::infinity();
  grid.max = -grid.min;
  for (size_t i = 0; i < params.scales.size(); ++i) {
    const auto real = [&](int32_t q) {
      return static_cast<float>(static_cast<double>(q - params.zero_points[i]) * static_cast<double>(params.factor(i)) +
                                static_cast<double>(params.shift(i)));
    };
    grid.min = std::min(grid.min, real(params.qmin()));
    grid.max = std::max(grid.max, real(params.qmax()));
  }
  return grid;
}

double Decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

void TensorTally::Add(std::span<const int64_t> dims, int64_t channel_axis, std::span<const float> original,
                      std::span<const float> quantized, const Grid& grid) {
  size_t channels = 1, inner = original.size();
  if (channel_axis >= 0 && !original.empty()) {
    const auto axis = static_cast<size_t>(channel_axis);
    channels = static_cast<size_t>(dims[axis]);
    inner = 1;
    for (const int64_t extent : dims.subspan(axis + 1)) inner *= static_cast<size_t>(extent);
  }
  channels_.resize(std::max(channels_.size(), channels));
  float magnitude = 0;
  for (size_t begin = 0, run = 0; begin < original.size(); begin += inner, ++run) {
    AddRun(channels_[run % channels], original.subspan(begin, inner),
           quantized.empty() ? quantized : quantized.subspan(begin, inner), grid, &magnitude);
  }
  elements_ += static_cast<int64_t>(original.size());
  compared_ += static_cast<int64_t>(quantized.size());
  sample_magnitudes_.push_back(magnitude);
}

void TensorTally::AddRun(ChannelTally& channel, std::span<const float> original, std::span<const float> quantized,
                         const Grid& grid, float* magnitude) {
  const bool one_pair = grid.pairs == 1;
  channel.count += static_cast<int64_t>(original.size());
  for (size_t i = 0; i < original.size(); ++i) {
    const float x = original[i];
    channel.min = std::min(channel.min, x);
    channel.max = std::max(channel.max, x);
    *magnitude = std::max(*magnitude, std::abs(x));
    channel.signal += Squared(static_cast<double>(x));
    channel.absolute += std::abs(static_cast<double>(x));
    if (grid.pairs > 0) {
      const bool outside = x < grid.min - grid.scale / 2 || x > grid.max + grid.scale / 2;
      clipped_ += outside ? 1 : 0;
      if (one_pair) {
        const double error = Squared(static_cast<double>(x) - static_cast<double>(Rounded(x, grid)));
        (outside ? channel.clipping : channel.rounding) += error;
      }
    }
    if (quantized.empty()) continue;
    const float y = quantized[i];
    channel.quantized_min = std::min(channel.quantized_min, y);
    channel.quantized_max = std::max(channel.quantized_max, y);
    const double error = Squared(static_cast<double>(x) - static_cast<double>(y));
    channel.noise += error;
    dot_ += static_cast<double>(x) * static_cast<double>(y);
    quantized_signal_ += Squared(static_cast<double>(y));
    if (!one_pair) continue;
    const float margin = kStepsInside * grid.scale, half = grid.scale / 2;
    CountEnd(x <= grid.min + half, y < grid.min + half && x > grid.min + margin, error, low_);
    CountEnd(x >= grid.max - half, y > grid.max - half && x < grid.max - margin, error, high_);
  }
}

void ChannelTally::Add(const ChannelTally& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  quantized_min = std::min(quantized_min, other.quantized_min);
  quantized_max = std::max(quantized_max, other.quantized_max);
  signal += other.signal;
  noise += other.noise;
  rounding += other.rounding;
  clipping += other.clipping;
  absolute += other.absolute;
  count += other.count;
}

void TensorTally::Append(const TensorTally& later) {
  channels_.resize(std::max(channels_.size(), later.channels_.size()));
  for (size_t c = 0; c < later.channels_.size(); ++c) channels_[c].Add(later.channels_[c]);
  sample_magnitudes_.insert(sample_magnitudes_.end(), later.sample_magnitudes_.begin(), later.sample_magnitudes_.end());
  dot_ += later.dot_;
  quantized_signal_ += later.quantized_signal_;
  elements_ += later.elements_;
  compared_ += later.compared_;
  clipped_ += later.clipped_;
  for (const auto& [own, other] : {std::pair(&low_, &later.low_), std::pair(&high_, &later.high_)}) {
    own->saturated += other->saturated;
    own->near += other->near;
    own->noise += other->noise;
  }
}

ChannelTally TensorTally::Total() const {
  ChannelTally total;
  for (const ChannelTally& channel : channels_) total.Add(channel);
  return total;
}

double TensorTally::Cosine() const {
  const double signal = Total().signal;
  if (signal < kTinySignal && quantized_signal_ < kTinySignal) return 1;
  if (signal < kTinySignal || quantized_signal_ < kTinySignal) return 0;
  const double cosine = dot_ / (std::sqrt(signal) * std::sqrt(quantized_signal_));
  return std::isfinite(cosine) ? cosine : 0;
}

double TensorTally::SnrDb() const {
  const ChannelTally total = Total();
  return Decibels(total.signal, total.noise);
}

}  // namespace qlite::report
