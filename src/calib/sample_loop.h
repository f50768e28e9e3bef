// The samples of a data set, spread over workers.
#ifndef QLITE_CALIB_SAMPLE_LOOP_H_
#define QLITE_CALIB_SAMPLE_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "qlite/context.h"
#include "qlite/data_set.h"

namespace qlite::calib {

// How a loop over samples ended.
struct SamplesTaken {
  int64_t done = 0;      // samples of the data set that have been processed, those before the loop included
  absl::Status error;    // of the first sample that failed, whose number and description lead the message
  absl::Status stopped;  // kCancelled where the context's progress callback asked for it
};

// Calls process(worker, sample) for the samples [begin, end): each of `workers` workers takes the next sample until
// none is left, so that at any time the samples taken are a prefix of the data set. Reports progress as `stage`. Which
// failure is told does not depend on threads: samples are taken in order, so that the first faulty one always runs.
SamplesTaken TakeSamples(const Context& context, std::string_view stage, const DataSet& data, int64_t begin,
                         int64_t end, size_t workers,
                         absl::FunctionRef<absl::Status(size_t worker, int64_t sample)> process);

}  // namespace qlite::calib

#endif  // QLITE_CALIB_SAMPLE_LOOP_H_
