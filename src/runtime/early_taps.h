// Taps that see large values while they are still in the nearest caches.
#ifndef QLITE_RUNTIME_EARLY_TAPS_H_
#define QLITE_RUNTIME_EARLY_TAPS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/session.h"

namespace qlite {

// `ready`: how many elements of the value are there, from the first one in memory on.
using EarlyTap = absl::FunctionRef<void(ValueId, const TappedValue&, int64_t ready)>;

// Session::RunTapped with several calls for some values, one right after the other, of which the last one alone has
// all elements. `session`: of Session::Create or a fork. Which values those are, and how many calls, depends on sizes
// and on the session's threads.
absl::Status RunTappedEarly(Session& session, EarlyTap tap);

// Session::memory() of tapped runs, which keep values longer.
absl::StatusOr<SessionMemory> TappedMemory(Session& session);

// Memory of the constants of the session's graph, which forks share and Session::memory() does not tell.
uint64_t ConstantBytes(const Session& session);

}  // namespace qlite

#endif  // QLITE_RUNTIME_EARLY_TAPS_H_
