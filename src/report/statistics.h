// Statistics of one tensor, and of two side by side. Sums are of doubles in the order of the elements.
#ifndef QLITE_REPORT_STATISTICS_H_
#define QLITE_REPORT_STATISTICS_H_

#include <span>

#include "qlite/report.h"

namespace qlite::report {

// All zero for no elements.
TensorStatistics Describe(std::span<const float> elements);

// The cosine of the angle between two vectors of one length, by TensorComparison's rules.
double Cosine(std::span<const float> a, std::span<const float> b);

// `quantized` has as many elements as `original`.
TensorComparison Compare(std::span<const float> original, std::span<const float> quantized);

}  // namespace qlite::report

#endif  // QLITE_REPORT_STATISTICS_H_
