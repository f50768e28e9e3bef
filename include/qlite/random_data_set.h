// Samples where there are none.
#ifndef QLITE_RANDOM_DATA_SET_H_
#define QLITE_RANDOM_DATA_SET_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "qlite/data_set.h"

namespace qlite {

// `count` samples, the same every time: float32 inputs uniform in [-1, 1), any other zeros, which indices and shapes
// always allow. Enough to see whether two forms of a network differ, not to calibrate with.
std::unique_ptr<DataSet> MakeRandomDataSet(const std::vector<InputSpec>& inputs, int64_t count);

}  // namespace qlite

#endif  // QLITE_RANDOM_DATA_SET_H_
