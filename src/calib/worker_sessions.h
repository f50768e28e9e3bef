// Sessions for several workers over the same graph.
#ifndef QLITE_CALIB_WORKER_SESSIONS_H_
#define QLITE_CALIB_WORKER_SESSIONS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "qlite/session.h"
#include "runtime/early_taps.h"

namespace qlite::calib {

// Forks of one session, each on one thread: `most`, or as many as keep to Limits::memory_budget_bytes together while
// they are tapped with `options`, at least one.
absl::StatusOr<std::vector<std::unique_ptr<Session>>> MakeWorkerSessions(const Context& context, const Graph& graph,
                                                                         int64_t most,
                                                                         const EarlyTapOptions& options = {});

}  // namespace qlite::calib

#endif  // QLITE_CALIB_WORKER_SESSIONS_H_
