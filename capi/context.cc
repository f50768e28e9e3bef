#include "qlite/context.h"

#include "capi/bodies.h"
#include "capi/executor.h"
#include "qlite/nearest_name.h"

namespace qlite::capi {

ObserverRegistry ContextBody::Observers() const {
  const std::lock_guard lock(registry_mutex);
  return observers;
}

PreprocessorRegistry ContextBody::Preprocessors() const {
  const std::lock_guard lock(registry_mutex);
  return preprocessors;
}

namespace {

qlite_context_options DefaultContext() {
  const Limits limits;
  return {.struct_size = sizeof(qlite_context_options),
          .num_threads = 1,
          .log_level = QLITE_LOG_WARNING,
          .max_file_bytes = limits.max_file_bytes,
          .max_tensor_bytes = limits.max_tensor_bytes,
          .max_nodes = limits.max_nodes,
          .max_image_pixels = limits.max_image_pixels,
          .memory_budget_bytes = limits.memory_budget_bytes,
          .max_tensors = limits.max_tensors};
}

LogLevel ReadLogLevel(qlite_log_level level) {
  if (level < QLITE_LOG_DEBUG || level > QLITE_LOG_ERROR) Refuse("log level " + std::to_string(level) + " is unknown");
  return static_cast<LogLevel>(level);
}

LogSink WrapLog(const qlite_context_options& options) {
  const LogLevel log_level = ReadLogLevel(options.log_level);
  if (options.log == nullptr) return options.log_to_stderr != 0 ? MakeStderrLogSink(log_level) : LogSink();
  return [log = options.log, user = options.log_user, lowest = options.log_level](LogLevel level,
                                                                                  std::string_view message) {
    if (static_cast<qlite_log_level>(level) >= lowest)
      log(user, static_cast<qlite_log_level>(level), std::string(message).c_str());
  };
}

ProgressCallback WrapProgress(const qlite_context_options& options) {
  if (options.progress == nullptr) return {};
  return [progress = options.progress, user = options.progress_user](const Progress& now) {
    return progress(user, std::string(now.stage).c_str(), now.done, now.total) != 0;
  };
}

std::shared_ptr<Executor> ChooseExecutor(const qlite_context_options& options, const qlite_executor& executor,
                                         std::shared_ptr<void> loan) {
  if (options.executor != nullptr) return WrapExecutor(executor, std::move(loan));
  const std::shared_ptr<ThreadPoolBody> pool = Optional<ThreadPoolBody>(options.pool, "pool");
  return pool == nullptr ? nullptr : pool->executor;
}

std::shared_ptr<ContextBody> MakeContext(const qlite_context_options& host, const qlite_executor& executor,
                                         std::shared_ptr<void> loan) {
  ContextOptions options;
  options.executor = ChooseExecutor(host, executor, std::move(loan));
  options.num_threads = host.num_threads;
  options.log = WrapLog(host);
  options.progress = WrapProgress(host);
  options.isa = Text(host.isa);
  options.limits = {.max_file_bytes = host.max_file_bytes,
                    .max_tensor_bytes = host.max_tensor_bytes,
                    .max_nodes = host.max_nodes,
                    .max_tensors = host.max_tensors,
                    .max_image_pixels = host.max_image_pixels,
                    .memory_budget_bytes = host.memory_budget_bytes};
  return std::make_shared<ContextBody>(Take(Context::Create(std::move(options))));
}

// The same context, observers and steps included, on other threads.
std::shared_ptr<ContextBody> OnThreads(const ContextBody& body, std::shared_ptr<Executor> executor) {
  auto copy = std::make_shared<ContextBody>(body.context.WithExecutor(std::move(executor)));
  copy->observers = body.Observers();
  copy->preprocessors = body.Preprocessors();
  return copy;
}

void CheckAbi(uint32_t abi_version) {
  if (abi_version == QLITE_ABI_VERSION) return;
  throw Failure(absl::FailedPreconditionError("the host was compiled against version " + std::to_string(abi_version) +
                                              " of the binary interface, this library has version " +
                                              std::to_string(QLITE_ABI_VERSION)));
}

}  // namespace
}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_context_options_init(qlite_context_options* options, size_t struct_size) {
  return InitStruct(options, struct_size, DefaultContext());
}

qlite_status qlite_context_create(uint32_t abi_version, const qlite_context_options* options, qlite_context** context,
                                  qlite_error** error) {
  if (context != nullptr) *context = nullptr;
  if (error != nullptr) *error = nullptr;
  LastError failure;
  const qlite_status status = Guard(&failure, [&] {
    const qlite_context_options read = ReadOptions(options, DefaultContext(), "the context options");
    const qlite_executor executor =
        read.executor == nullptr ? qlite_executor{} : ReadStruct(read.executor, qlite_executor{}, "the executor");
    std::shared_ptr<void> loan = Lend(executor.user, executor.release);
    Needed(context, "context");
    CheckAbi(abi_version);
    *context = Publish(MakeContext(read, executor, std::move(loan)));
  });
  if (status != QLITE_OK && error != nullptr) {
    Guard(nullptr, [&] { *error = Publish(failure.Get()); });
  }
  return status;
}

qlite_status qlite_context_release(qlite_context* context) { return Release<ContextBody>(context); }

qlite_status qlite_context_isa(const qlite_context* context, const char** isa) {
  return Call<ContextBody>(context, [&](ContextBody& body) { *Needed(isa, "isa") = body.isa.c_str(); });
}

qlite_status qlite_context_with_pool(const qlite_context* context, const qlite_thread_pool* pool,
                                     qlite_context** result) {
  return Make<ContextBody>(context, result, [&](ContextBody& body) {
    return OnThreads(body, Needed<ThreadPoolBody>(pool, "pool")->executor);
  });
}

qlite_status qlite_context_with_executor(const qlite_context* context, const qlite_executor* executor,
                                         qlite_context** result) {
  return WithLoanOf(executor, [&](std::shared_ptr<void> loan) {
    return Make<ContextBody>(context, result, [&](ContextBody& body) {
      const qlite_executor read = ReadStruct(executor, qlite_executor{}, "the executor");
      return OnThreads(body, WrapExecutor(read, std::move(loan)));
    });
  });
}

qlite_status qlite_context_concurrency(const qlite_context* context, int32_t* concurrency) {
  return Call<ContextBody>(
      context, [&](ContextBody& body) { *Needed(concurrency, "concurrency") = body.context.executor().concurrency(); });
}

qlite_status qlite_context_parallel_for(const qlite_context* context, int64_t units, qlite_work_function function,
                                        void* work) {
  return Call<ContextBody>(context, [&](ContextBody& body) {
    Needed(function, "function");
    if (units < 0) Refuse("the number of units is negative");
    body.context.executor().ParallelFor(
        units, [&](int64_t begin, int64_t end, int worker) { function(work, begin, end, worker); });
  });
}

qlite_status qlite_context_log(const qlite_context* context, qlite_log_level level, const char* message) {
  return Call<ContextBody>(
      context, [&](ContextBody& body) { body.context.Log(ReadLogLevel(level), Needed(message, "message")); });
}

qlite_status qlite_context_report_progress(const qlite_context* context, const char* stage, int64_t done,
                                           int64_t total) {
  return Call<ContextBody>(context, [&](ContextBody& body) {
    Check(body.context.Report({.stage = Needed(stage, "stage"), .done = done, .total = total}));
  });
}

qlite_status qlite_last_error(const qlite_context* context, qlite_error** error) {
  if (error != nullptr) *error = nullptr;
  // Not Call: asking for the last error must not replace it.
  return Guard(nullptr, [&] {
    const std::shared_ptr<ContextBody> body = Needed<ContextBody>(context, "context");
    Needed(error, "error");
    const std::shared_ptr<Error> last = body->last_error.Get();
    if (last == nullptr) throw Failure(absl::NotFoundError("nothing has failed yet"));
    *error = Publish(last);
  });
}

qlite_status qlite_context_names(const qlite_context* context, qlite_registry registry, qlite_bytes** names) {
  return Make<ContextBody>(context, names, [&](ContextBody& body) {
    if (registry == QLITE_REGISTRY_OBSERVERS) return MakeBytes(Lines(body.Observers().Names()));
    if (registry != QLITE_REGISTRY_PREPROCESSORS) Refuse("registry " + std::to_string(registry) + " is unknown");
    return MakeBytes(Lines(body.Preprocessors().Names()));
  });
}

qlite_status qlite_nearest_name(const char* wanted, const char* const* known, size_t count, int64_t* index) {
  return Guard(nullptr, [&] {
    Needed(wanted, "wanted");
    *Needed(index, "index") = -1;
    if (count > 0) Needed(known, "known");
    std::vector<std::string_view> names;
    for (size_t i = 0; i < count; ++i) names.emplace_back(Needed(known[i], "a known name"));
    const std::string_view nearest = qlite::NearestName(wanted, names);
    for (size_t i = 0; i < count && !nearest.empty(); ++i) {
      if (names[i] == nearest) {
        *index = static_cast<int64_t>(i);
        return;
      }
    }
  });
}
