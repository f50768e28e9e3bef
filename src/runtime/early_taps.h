// Taps that see large values while they are still in the nearest caches.
#ifndef QLITE_RUNTIME_EARLY_TAPS_H_
#define QLITE_RUNTIME_EARLY_TAPS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "qlite/session.h"

namespace qlite {

struct EarlyTapOptions {
  // Every value is whole in memory when the last of it is told. Otherwise steps may hand each other rows of float32
  // values with channels last, of kernels::kGroupedColumns channels at least, that are overwritten afterwards: a part
  // that was told may be gone when the next one is.
  bool keep_values = true;
  // Steps make large values in parts so that they can be told early.
  bool split_values = true;
};

// `ready`: how many elements of the value are there, from the first one in memory on. What goes before those of the
// call before may be gone, see EarlyTapOptions::keep_values.
using EarlyTap = absl::FunctionRef<void(ValueId, const TappedValue&, int64_t ready)>;

// Session::RunTapped with several calls for some values, of which the last one alone has all elements. Calls for
// several values may alternate. `session`: of Session::Create or a fork. Which values come in parts, and how many,
// depends on sizes and on the session's threads.
absl::Status RunTappedEarly(Session& session, const EarlyTapOptions& options, EarlyTap tap);

// Session::memory() of runs that are tapped with these options, which keep values longer.
absl::StatusOr<SessionMemory> TappedMemory(Session& session, const EarlyTapOptions& options = {});

// Memory of the constants of the session's graph, which forks share and Session::memory() does not tell.
uint64_t ConstantBytes(const Session& session);

}  // namespace qlite

#endif  // QLITE_RUNTIME_EARLY_TAPS_H_
