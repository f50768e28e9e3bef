// What a host uses of a context for itself: threads, messages, progress, observers.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "capi/capi_test_util.h"

namespace qlite::testing {
namespace {

using ::Catch::Contains;

// Counts how often each unit is worked on.
struct Units {
  std::vector<std::atomic<int>> counts;
  std::atomic<int> wrong{0};
  int32_t concurrency;

  static void Work(void* work, int64_t begin, int64_t end, int32_t worker) {
    Units& units = *static_cast<Units*>(work);
    units.wrong += worker < 0 || worker >= units.concurrency;
    for (int64_t i = begin; i < end; ++i) ++units.counts[static_cast<size_t>(i)];
  }
};

void CheckSharedOut(const qlite_context* context, int32_t expected_concurrency) {
  int32_t concurrency = 0;
  REQUIRE(qlite_context_concurrency(context, &concurrency) == QLITE_OK);
  CHECK(concurrency == expected_concurrency);
  Units units{std::vector<std::atomic<int>>(1000), {}, concurrency};
  REQUIRE(qlite_context_parallel_for(context, 1000, &Units::Work, &units) == QLITE_OK);
  CHECK(units.wrong == 0);
  CHECK(std::all_of(units.counts.begin(), units.counts.end(), [](const auto& count) { return count == 1; }));
  REQUIRE(qlite_context_parallel_for(context, 0, &Units::Work, &units) == QLITE_OK);
}

struct HostThreads {
  std::atomic<int> calls{0}, released{0};

  qlite_executor Lent() {
    qlite_executor executor = {};
    executor.struct_size = sizeof(executor);
    executor.user = this;
    executor.concurrency = 2;
    executor.parallel_for = [](void* user, int64_t units, qlite_work_function work, void* state) {
      ++static_cast<HostThreads*>(user)->calls;
      std::thread other([&] { work(state, 0, units / 2, 1); });
      work(state, units / 2, units, 0);
      other.join();
    };
    executor.release = [](void* user) { ++static_cast<HostThreads*>(user)->released; };
    return executor;
  }
};

TEST_CASE("the context's threads work for the host") {
  CheckSharedOut(MakeContext(1).get(), 1);
  const auto context = MakeContext(3);
  CheckSharedOut(context.get(), 3);
  HostThreads threads;
  qlite_executor executor = threads.Lent();
  {
    const auto other =
        MakeHandle<qlite_context>([&](auto** c) { return qlite_context_with_executor(context.get(), &executor, c); });
    CheckSharedOut(other.get(), 2);
    CHECK(threads.calls > 0);
    CHECK(threads.released == 0);
  }
  CHECK(threads.released == 1);
  executor.concurrency = 0;
  qlite_context* none = nullptr;
  CHECK(qlite_context_with_executor(context.get(), &executor, &none) == QLITE_INVALID_ARGUMENT);
  CHECK(qlite_context_with_executor(nullptr, &executor, &none) == QLITE_INVALID_ARGUMENT);
  CHECK(none == nullptr);
  CHECK(threads.released == 3);
}

TEST_CASE("the host's own work may write messages and report progress") {
  struct Host {
    std::vector<std::string> messages, stages;
    bool go_on = true;
  } host;
  qlite_context_options options;
  REQUIRE(qlite_context_options_init(&options, sizeof(options)) == QLITE_OK);
  options.log = [](void* user, qlite_log_level level, const char* message) {
    static_cast<Host*>(user)->messages.push_back(std::to_string(level) + " " + message);
  };
  options.progress = [](void* user, const char* stage, int64_t done, int64_t total) -> int32_t {
    auto* h = static_cast<Host*>(user);
    h->stages.push_back(std::string(stage) + " " + std::to_string(done) + "/" + std::to_string(total));
    return h->go_on;
  };
  options.log_user = options.progress_user = &host;
  const auto context = MakeHandle<qlite_context>(
      [&](auto** c) { return qlite_context_create(QLITE_ABI_VERSION, &options, c, nullptr); });
  CHECK(qlite_context_log(context.get(), QLITE_LOG_WARNING, "look here") == QLITE_OK);
  CHECK(qlite_context_log(context.get(), QLITE_LOG_DEBUG, "not wanted") == QLITE_OK);
  CHECK(host.messages == std::vector<std::string>{"2 look here"});
  CHECK(qlite_context_report_progress(context.get(), "search", 2, 5) == QLITE_OK);
  host.go_on = false;
  CHECK(qlite_context_report_progress(context.get(), "search", 3, 5) == QLITE_CANCELLED);
  CHECK(host.stages == std::vector<std::string>{"search 2/5", "search 3/5"});
}

Owned<qlite_observer> NewObserver(const qlite_context* context, const char* name) {
  return MakeHandle<qlite_observer>([&](auto** o) { return qlite_observer_create(context, name, o); });
}

std::string StateOf(const qlite_observer* observer) {
  return TextOf(MakeHandle<qlite_bytes>([&](auto** b) { return qlite_observer_save(observer, b); }).get());
}

TEST_CASE("the library's observers watch what the host shows them") {
  const auto context = MakeContext();
  const float first[] = {-1, 0.5f, 2}, second[] = {3, -4, 1, 0.25f};
  for (const char* name : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}) {
    INFO(name);
    const auto a = NewObserver(context.get(), name), b = NewObserver(context.get(), name),
               whole = NewObserver(context.get(), name), empty = NewObserver(context.get(), name);
    float min = 0, max = 0;
    CHECK(qlite_observer_compute(empty.get(), 8, &min, &max) == QLITE_FAILED_PRECONDITION);
    REQUIRE(qlite_observer_observe(a.get(), first, 3) == QLITE_OK);
    REQUIRE(qlite_observer_observe(b.get(), second, 4) == QLITE_OK);
    REQUIRE(qlite_observer_observe(whole.get(), second, 4) == QLITE_OK);
    REQUIRE(qlite_observer_observe(whole.get(), first, 3) == QLITE_OK);
    REQUIRE(qlite_observer_merge(a.get(), b.get()) == QLITE_OK);
    CHECK(StateOf(a.get()) == StateOf(whole.get()));
    const std::string state = StateOf(whole.get());
    REQUIRE(qlite_observer_load(empty.get(), state.data(), state.size()) == QLITE_OK);
    REQUIRE(qlite_observer_compute(empty.get(), 8, &min, &max) == QLITE_OK);
    CHECK(min < 0);
    CHECK(max > 0);
    // What cannot be read leaves the state as it was.
    CHECK(qlite_observer_load(empty.get(), state.data(), state.size() - 1) != QLITE_OK);
    CHECK(StateOf(empty.get()) == state);
    const float infinite[] = {1, HUGE_VALF};
    CHECK(qlite_observer_observe(empty.get(), infinite, 2) == QLITE_FAILED_PRECONDITION);
    CHECK(qlite_observer_observe(empty.get(), first, 0) == QLITE_INVALID_ARGUMENT);
    CHECK(StateOf(empty.get()) == state);
    CHECK(qlite_observer_compute(empty.get(), 1, &min, &max) == QLITE_INVALID_ARGUMENT);
    CHECK(qlite_observer_merge(empty.get(), empty.get()) == QLITE_INVALID_ARGUMENT);
  }
  CHECK(qlite_observer_merge(NewObserver(context.get(), "KL").get(), NewObserver(context.get(), "MAX_MIN").get()) ==
        QLITE_INVALID_ARGUMENT);
  qlite_observer* none = nullptr;
  CHECK(qlite_observer_create(context.get(), "MAXMIN", &none) == QLITE_NOT_FOUND);
  CHECK_THAT(LastErrorOf(context.get()).message, Contains("'MAX_MIN'"));
}

// Counts values.
qlite_observer_type CountType() {
  qlite_observer_type type = {};
  type.struct_size = sizeof(type);
  type.create = [](void*, void** state) -> qlite_status {
    *state = new float(0);
    return QLITE_OK;
  };
  type.destroy = [](void* state) { delete static_cast<float*>(state); };
  type.observe = [](void* state, const float*, size_t count, float, float) -> qlite_status {
    *static_cast<float*>(state) += static_cast<float>(count);
    return QLITE_OK;
  };
  type.merge = [](void* state, const void* other) -> qlite_status {
    *static_cast<float*>(state) += *static_cast<const float*>(other);
    return QLITE_OK;
  };
  type.save = [](const void* state, qlite_write_function write, void* sink) {
    return write(sink, state, sizeof(float));
  };
  type.load = [](void* state, const void* data, size_t size) -> qlite_status {
    if (size != sizeof(float)) return QLITE_DATA_LOSS;
    std::memcpy(state, data, size);
    return QLITE_OK;
  };
  type.compute = [](const void* state, int32_t, float* min, float* max) -> qlite_status {
    *min = 0;
    *max = *static_cast<const float*>(state);
    return QLITE_OK;
  };
  return type;
}

TEST_CASE("a registered observer is used in the same way, and not mixed with another of its name") {
  const auto context = MakeContext(), other = MakeContext();
  const qlite_observer_type type = CountType();
  qlite_observer_type different = type;
  different.merge = [](void*, const void*) { return qlite_status{QLITE_INTERNAL}; };
  REQUIRE(qlite_context_register_observer(context.get(), "COUNT", &type) == QLITE_OK);
  REQUIRE(qlite_context_register_observer(other.get(), "COUNT", &different) == QLITE_OK);
  const auto a = NewObserver(context.get(), "COUNT"), b = NewObserver(context.get(), "COUNT"),
             stranger = NewObserver(other.get(), "COUNT");
  const float values[] = {1, 2, 3};
  REQUIRE(qlite_observer_observe(a.get(), values, 3) == QLITE_OK);
  REQUIRE(qlite_observer_observe(b.get(), values, 2) == QLITE_OK);
  REQUIRE(qlite_observer_merge(a.get(), b.get()) == QLITE_OK);
  float min = -1, max = -1;
  REQUIRE(qlite_observer_compute(a.get(), 8, &min, &max) == QLITE_OK);
  CHECK(max == 5);
  CHECK(qlite_observer_merge(a.get(), stranger.get()) == QLITE_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace qlite::testing
