// Context: what the host lends, resolved. It stands in this room because it knows the kernels' instruction sets.
#include "qlite/context.h"

#include <cstdlib>
#include <mutex>
#include <utility>

#include "core/str_cat.h"
#include "kernels/isa.h"

namespace qlite {

struct Context::State {
  std::shared_ptr<Executor> executor;
  Limits limits;
  kernels::Isa isa = kernels::Isa::kGeneric;
  // Shared with contexts that differ in the executor only, so that calls from all of them come one at a time.
  struct Callbacks {
    LogSink log;
    ProgressCallback progress;
    std::mutex log_mutex, progress_mutex;
  };
  std::shared_ptr<Callbacks> callbacks;
};

namespace {

absl::StatusOr<kernels::Isa> ResolveIsa(std::string name) {
  const char* const variable = std::getenv("QLITE_ISA");
  const bool from_variable = name.empty() && variable != nullptr && *variable != '\0';
  if (from_variable) name = variable;
  if (name.empty()) return kernels::BestIsa();
  kernels::Isa named;
  if (kernels::ParseIsa(name, &named) && kernels::IsSupported(named)) return named;
  std::string available;
  for (const kernels::Isa isa : kernels::SupportedIsas()) {
    StrAppend(&available, available.empty() ? "" : ", ", kernels::IsaName(isa));
  }
  return absl::InvalidArgumentError(StrCat("instruction set '", name, "'", from_variable ? " of QLITE_ISA" : "",
                                           " is not available here; there are: ", available));
}

}  // namespace

Context::Context(std::shared_ptr<const State> state) : state_(std::move(state)) {}

absl::StatusOr<Context> Context::Create(ContextOptions options) {
  if (options.num_threads < 0) {
    return absl::InvalidArgumentError(StrCat("expected a thread count of at least 0, found ", options.num_threads));
  }
  const absl::StatusOr<kernels::Isa> isa = ResolveIsa(std::move(options.isa));
  if (!isa.ok()) return isa.status();
  auto state = std::make_shared<State>();
  state->executor = options.executor ? std::move(options.executor) : MakeThreadPool(options.num_threads);
  state->limits = options.limits;
  state->isa = *isa;
  state->callbacks = std::make_shared<State::Callbacks>();
  state->callbacks->log = std::move(options.log);
  state->callbacks->progress = std::move(options.progress);
  return Context(std::move(state));
}

Executor& Context::executor() const { return *state_->executor; }
const Limits& Context::limits() const { return state_->limits; }
std::string_view Context::isa() const { return kernels::IsaName(state_->isa); }

void Context::Log(LogLevel level, std::string_view message) const {
  if (!state_->callbacks->log) return;
  const std::lock_guard lock(state_->callbacks->log_mutex);
  state_->callbacks->log(level, message);
}

absl::Status Context::Report(const Progress& progress) const {
  if (!state_->callbacks->progress) return absl::OkStatus();
  const std::lock_guard lock(state_->callbacks->progress_mutex);
  if (state_->callbacks->progress(progress)) return absl::OkStatus();
  std::string message = StrCat("cancelled during ", progress.stage);
  if (progress.total > 0) message += StrCat(" at ", progress.done, " of ", progress.total);
  return absl::CancelledError(message);
}

Context Context::WithExecutor(std::shared_ptr<Executor> executor) const {
  auto state = std::make_shared<State>(*state_);
  if (executor) state->executor = std::move(executor);
  return Context(std::move(state));
}

}  // namespace qlite
