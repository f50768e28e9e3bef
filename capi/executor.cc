#include "capi/executor.h"

#include <exception>
#include <mutex>

#include "capi/bodies.h"

namespace qlite::capi {
namespace {

constexpr int32_t kMaxThreads = 1024;

using Work = absl::FunctionRef<void(int64_t, int64_t, int)>;

// One ParallelFor as the host's threads see it. What the work throws, which is that there is no memory, is kept for the
// thread that called: it must not run into the host's frames.
struct Job {
  const Work& work;
  std::mutex mutex;
  std::exception_ptr failure;

  static void Run(void* job, int64_t begin, int64_t end, int32_t worker) noexcept {
    Job& self = *static_cast<Job*>(job);
    try {
      self.work(begin, end, worker);
    } catch (...) {
      const std::lock_guard lock(self.mutex);
      self.failure = std::current_exception();
    }
  }
};

class HostExecutor : public Executor {
 public:
  HostExecutor(const qlite_executor& host, std::shared_ptr<void> loan) : host_(host), loan_(std::move(loan)) {}

  int concurrency() const override { return host_.concurrency; }

  void ParallelFor(int64_t units, Work work) override {
    if (units <= 0) return;
    Job job{work, {}, nullptr};
    host_.parallel_for(host_.user, units, &Job::Run, &job);
    if (job.failure) std::rethrow_exception(job.failure);
  }

 private:
  qlite_executor host_;
  std::shared_ptr<void> loan_;
};

}  // namespace

std::shared_ptr<Executor> WrapExecutor(const qlite_executor& host, std::shared_ptr<void> loan) {
  Needed(host.parallel_for, "parallel_for of the executor");
  if (host.concurrency < 1 || host.concurrency > kMaxThreads) {
    Refuse("the executor's concurrency is " + std::to_string(host.concurrency) + ", expected 1 to 1024");
  }
  return std::make_shared<HostExecutor>(host, std::move(loan));
}

}  // namespace qlite::capi

using namespace qlite::capi;

qlite_status qlite_thread_pool_create(int32_t num_threads, qlite_thread_pool** pool) {
  if (pool != nullptr) *pool = nullptr;
  return Guard(nullptr, [&] {
    Needed(pool, "the output parameter");
    if (num_threads < 0 || num_threads > kMaxThreads) Refuse("the number of threads is not within 0 and 1024");
    *pool = Publish(std::make_shared<ThreadPoolBody>(ThreadPoolBody{qlite::MakeThreadPool(num_threads)}));
  });
}

qlite_status qlite_thread_pool_release(qlite_thread_pool* pool) { return Release<ThreadPoolBody>(pool); }
