// The library's own executor: a fixed set of threads that share the work of one ParallelFor at a time.
#ifndef QLITE_CORE_THREAD_POOL_H_
#define QLITE_CORE_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "qlite/context.h"

namespace qlite {

// Units are cut into one contiguous chunk for each thread. A thread takes its own chunk first, so that successive loops
// over the same data find it in that core's cache, and then whatever chunk nobody has begun, so that a thread which the
// system runs late delays nothing. Idle threads spin for some tens of microseconds, the time between two layers of a
// network, and then sleep.
//
// A ParallelFor from within another, or while another thread has the pool, runs in its caller. What the work throws,
// which is that there is no memory, is thrown to the caller once all threads have left the work. Thread-safe.
class ThreadPool : public Executor {
 public:
  // The calling thread counts. Fewer threads where the system refuses to create as many.
  explicit ThreadPool(int num_threads);
  ~ThreadPool() override;

  int concurrency() const override { return static_cast<int>(threads_.size()) + 1; }
  void ParallelFor(int64_t units, absl::FunctionRef<void(int64_t, int64_t, int)> work) override;

 private:
  using Work = absl::FunctionRef<void(int64_t, int64_t, int)>;

  // Written only while no thread is inside the job.
  struct Job {
    int64_t units = 0;
    int chunks = 0;
    const Work* work = nullptr;
  };

  void ThreadMain(int worker);
  // Waits until the state differs from `seen`.
  int32_t AwaitChange(int32_t seen) const;
  void TakeChunks(int worker);
  void AwaitThreadsLeaving();
  // Of the work just done, by the order of the units; null where all went well.
  std::exception_ptr TakeFirstFailure();

  // Odd while a job is open. Every change is a new number, so a thread can tell what it has seen.
  std::atomic<int32_t> state_{0};
  // Threads that may look at the job. A thread first counts itself and then looks whether the job is open; the caller
  // first closes the job and then looks whether the count is 0. So a job never changes under a thread.
  std::atomic<int32_t> inside_{0};
  std::atomic<bool> busy_{false};
  std::atomic<bool> stop_{false};
  Job job_;
  std::unique_ptr<std::atomic<bool>[]> taken_;  // of every chunk
  std::vector<std::exception_ptr> failures_;    // likewise
  std::vector<std::thread> threads_;
};

}  // namespace qlite

#endif  // QLITE_CORE_THREAD_POOL_H_
