// The check that a written model file gives what the graph gives.
#ifndef QLITE_MODEL_IO_CHECK_EXPORT_H_
#define QLITE_MODEL_IO_CHECK_EXPORT_H_

#include "absl/status/status.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite {

// Runs both graphs on the first `samples` samples of `data`, or on seeded uniform inputs in [-1, 1) where it is null,
// and compares every output: equal bits where `exact`, otherwise a relative error (norm of the difference over the norm
// of the original's output) of at most 1e-3. kInternal names the output that differs and by how much.
absl::Status CheckSameResults(const Context& context, const Graph& original, const Graph& read_back,
                              const DataSet* data, int samples, bool exact);

// Compares the graphs part by part, down to the bytes of the constants, without running them. kInternal names the first
// part that differs. Names of the graphs and metadata may differ.
absl::Status CheckSameGraph(const Graph& original, const Graph& read_back);

}  // namespace qlite

#endif  // QLITE_MODEL_IO_CHECK_EXPORT_H_
