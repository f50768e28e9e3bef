#include "passes/kernel_rounding.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace qlite {
namespace {

// Moves the taps whose rounding errors point the way of `direction` farthest, `count` at most, against it.
template <class T>
void MoveFarthest(std::span<const double> scaled, std::span<T> rounded, double direction, double limit, size_t count) {
  struct Tap {
    double error;
    size_t place;
    bool operator<(const Tap& other) const {
      return error > other.error || (error == other.error && place < other.place);
    }
  };
  std::vector<Tap> taps;
  for (size_t i = 0; i < scaled.size(); ++i) {
    const double value = static_cast<double>(rounded[i]), error = (value - scaled[i]) * direction;
    if (error > 0 && std::abs(value - direction) <= limit) taps.push_back({error, i});
  }
  count = std::min(count, taps.size());
  std::partial_sort(taps.begin(), taps.begin() + static_cast<std::ptrdiff_t>(count), taps.end());
  for (size_t k = 0; k < count; ++k) {
    T& moved = rounded[taps[k].place];
    moved = static_cast<T>(moved - static_cast<int>(direction));
  }
}

template <class T>
void RoundAs(std::span<const double> scaled, double limit, std::span<T> rounded) {
  double excess = 0;
  for (size_t i = 0; i < scaled.size(); ++i) {
    rounded[i] = static_cast<T>(std::clamp(std::nearbyint(scaled[i]), -limit, limit));
    excess += static_cast<double>(rounded[i]) - scaled[i];
  }
  const double off = std::abs(excess) - 0.5;
  if (off > 0) MoveFarthest(scaled, rounded, excess > 0 ? 1.0 : -1.0, limit, static_cast<size_t>(std::ceil(off)));
}

}  // namespace

void RoundKernel(std::span<const double> scaled, double limit, std::span<int8_t> rounded) {
  RoundAs(scaled, limit, rounded);
}

void RoundKernel(std::span<const double> scaled, double limit, std::span<int16_t> rounded) {
  RoundAs(scaled, limit, rounded);
}

}  // namespace qlite
