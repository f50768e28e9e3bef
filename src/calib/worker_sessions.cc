#include "calib/worker_sessions.h"

#include <algorithm>
#include <utility>

#include "core/status_macros.h"

namespace qlite::calib {
namespace {

// How many sessions the budget has room for.
int64_t Affordable(Session& session, uint64_t budget, int64_t most, const EarlyTapOptions& options) {
  if (budget == 0 || most <= 1) return most;
  const absl::StatusOr<SessionMemory> memory = TappedMemory(session, options);
  if (!memory.ok()) return 1;  // which says so itself when it is tapped
  if (memory->activations_bytes == 0) return most;
  const uint64_t room = budget - std::min(budget, ConstantBytes(session) + memory->weights_bytes);
  return std::clamp<int64_t>(static_cast<int64_t>(room / memory->activations_bytes), 1, most);
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<Session>>> MakeWorkerSessions(const Context& context, const Graph& graph,
                                                                         int64_t most, const EarlyTapOptions& options) {
  const Context one_thread = context.WithExecutor(MakeThreadPool(1));
  absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(one_thread, graph, {});
  if (!session.ok()) return session.status();
  const int64_t count = Affordable(**session, context.limits().memory_budget_bytes, most, options);
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.push_back(*std::move(session));
  while (static_cast<int64_t>(sessions.size()) < count) {
    absl::StatusOr<std::unique_ptr<Session>> fork = sessions[0]->Fork(one_thread);
    if (!fork.ok()) return fork.status();
    sessions.push_back(*std::move(fork));
  }
  return sessions;
}

}  // namespace qlite::calib
