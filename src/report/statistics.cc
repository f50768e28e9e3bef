#include "report/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"

namespace qlite::report {
namespace {

// Squared norms below this are those of a zero vector.
constexpr double kTinyEnergy = std::numeric_limits<double>::epsilon();

bool Less(float a, float b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

double Energy(std::span<const float> elements) {
  double sum = 0;
  for (const double x : elements) sum += x * x;
  return sum;
}

// The quantiles; `sorted` is reordered.
void SetQuantiles(std::vector<float>& sorted, TensorStatistics& statistics) {
  const size_t count = sorted.size();
  auto begin = sorted.begin();
  for (const auto& [position, quantile] :
       {std::pair(count / 4, &statistics.quartile1), std::pair(count / 2, &statistics.median),
        std::pair(count / 4 * 3 + count % 4 * 3 / 4, &statistics.quartile3)}) {
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(begin, at, sorted.end(), Less);
    *quantile = *at;
    begin = at;  // the elements before it are in their part already
  }
}

}  // namespace

TensorStatistics Describe(std::span<const float> elements) {
  TensorStatistics statistics;
  if (elements.empty()) return statistics;
  const double count = static_cast<double>(elements.size());
  std::vector<float> sorted(elements.begin(), elements.end());
  SetQuantiles(sorted, statistics);
  const auto [least, largest] = std::minmax_element(elements.begin(), elements.end(), Less);
  statistics.min = *least;
  statistics.max = *largest;
  double sum = 0, zeros = 0, squares = 0;
  for (const double x : elements) {
    sum += x;
    zeros += x == 0 ? 1 : 0;
  }
  statistics.mean = sum / count;
  for (const double x : elements) squares += (x - statistics.mean) * (x - statistics.mean);
  statistics.variance = squares / count;
  statistics.sparsity = zeros / count;
  return statistics;
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  QLITE_CHECK(a.size() == b.size(), "vectors of different lengths");
  const double energy_a = Energy(a), energy_b = Energy(b);
  if (energy_a < kTinyEnergy && energy_b < kTinyEnergy) return 1;
  if (energy_a < kTinyEnergy || energy_b < kTinyEnergy) return 0;
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * b[i];
  const double cosine = dot / (std::sqrt(energy_a) * std::sqrt(energy_b));
  return std::isfinite(cosine) ? cosine : 0;
}

TensorComparison Compare(std::span<const float> original, std::span<const float> quantized) {
  TensorComparison comparison;
  comparison.cosine = Cosine(original, quantized);
  comparison.quantized = Describe(quantized);
  double clipped = 0, noise = 0;
  for (size_t i = 0; i < original.size(); ++i) {
    const bool outside = original[i] < comparison.quantized.min || original[i] > comparison.quantized.max;
    clipped += outside ? 1 : 0;
    const double difference = static_cast<double>(original[i]) - quantized[i];
    noise += difference * difference;
  }
  if (!original.empty()) comparison.clip = clipped / static_cast<double>(original.size());
  comparison.snr_db = noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(Energy(original) / noise);
  return comparison;
}

}  // namespace qlite::report
