#include "passes/kernel_rounding.h"

#include <algorithm>
#include <cmath>

namespace qlite {
namespace {

// The tap whose rounding error points the way of `direction` and is largest, among those that may still move against
// it; `scaled.size()` where there is none.
template <class T>
size_t FarthestTap(std::span<const double> scaled, std::span<T> rounded, double direction, double limit) {
  size_t farthest = scaled.size();
  double largest = 0;
  for (size_t i = 0; i < scaled.size(); ++i) {
    const double error = (static_cast<double>(rounded[i]) - scaled[i]) * direction;
    const double moved = static_cast<double>(rounded[i]) - direction;
    if (error > largest && std::abs(moved) <= limit) {
      largest = error;
      farthest = i;
    }
  }
  return farthest;
}

template <class T>
void RoundAs(std::span<const double> scaled, double limit, std::span<T> rounded) {
  double excess = 0;
  for (size_t i = 0; i < scaled.size(); ++i) {
    rounded[i] = static_cast<T>(std::clamp(std::nearbyint(scaled[i]), -limit, limit));
    excess += static_cast<double>(rounded[i]) - scaled[i];
  }
  while (std::abs(excess) > 0.5) {
    const double direction = excess > 0 ? 1.0 : -1.0;
    const size_t tap = FarthestTap(scaled, rounded, direction, limit);
    if (tap == scaled.size()) return;
    rounded[tap] = static_cast<T>(rounded[tap] - static_cast<int>(direction));
    excess -= direction;
  }
}

}  // namespace

void RoundKernel(std::span<const double> scaled, double limit, std::span<int8_t> rounded) {
  RoundAs(scaled, limit, rounded);
}

void RoundKernel(std::span<const double> scaled, double limit, std::span<int16_t> rounded) {
  RoundAs(scaled, limit, rounded);
}

}  // namespace qlite
