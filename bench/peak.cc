#include "peak.h"

#include <time.h>

#include <algorithm>
#include <vector>

#include "kernels/dispatch.h"

namespace qlite::kernels {

QLITE_DISPATCH_PRODUCT_KERNELS(Peak)

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

namespace {

// The best rate of runs that last some hundred microseconds each.
double BestRate(int64_t (*loop)(int64_t)) {
  constexpr int kRuns = 100;
  constexpr double kRunSeconds = 3e-4;
  int64_t steps = 64;
  double best = 0;
  for (int run = 0; run < kRuns;) {
    const double start = ThreadSeconds();
    const auto operations = static_cast<double>(loop(steps));
    const double seconds = ThreadSeconds() - start;
    if (seconds < kRunSeconds) {
      steps *= 2;
      continue;
    }
    best = std::max(best, operations / seconds);
    ++run;
  }
  return best;
}

}  // namespace

double MultiplyAddPeak(Isa isa) { return BestRate(Peak(isa).multiply_add); }

double DotProductPeak(Isa isa) { return BestRate(Peak(isa).dot_product); }

double ReadBandwidth(Isa isa, int64_t bytes) {
  constexpr double kWantedBytes = 4e6;
  constexpr int kRuns = 20;
  const std::vector<float> buffer(static_cast<size_t>(bytes / 4), 1.0f);
  const int passes = std::max(1, static_cast<int>(kWantedBytes / static_cast<double>(std::max<int64_t>(bytes, 1))));
  double best = 0;
  for (int run = 0; run <= kRuns; ++run) {
    const double start = ThreadSeconds();
    for (int pass = 0; pass < passes; ++pass) Peak(isa).read(buffer.data(), bytes / 4);
    const double seconds = ThreadSeconds() - start;
    if (run > 0) best = std::max(best, static_cast<double>(bytes) * passes / seconds);
  }
  return best;
}

}  // namespace qlite::kernels
