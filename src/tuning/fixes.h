// What can be changed about a quantization for the causes of loss that a report names.
#ifndef QLITE_TUNING_FIXES_H_
#define QLITE_TUNING_FIXES_H_

#include <string>
#include <vector>

#include "qlite/diagnosis.h"
#include "qlite/quantizer.h"
#include "qlite/weight_quantizer.h"

namespace qlite::tuning {

template <class Options>
struct Fix {
  std::string name;        // "per_channel=true", ...
  Options options;         // with the change
  double expected_db = 0;  // the largest gain of the findings that ask for it
};

// The changes of `options` that the findings, ordered by gain, ask for and that are not made yet, and then those that
// help in general. Each once.
std::vector<Fix<QuantizerOptions>> FixesFor(const std::vector<Finding>& findings, const QuantizerOptions& options);
std::vector<Fix<WeightQuantizerOptions>> FixesFor(const std::vector<Finding>& findings,
                                                  const WeightQuantizerOptions& options);

}  // namespace qlite::tuning

#endif  // QLITE_TUNING_FIXES_H_
