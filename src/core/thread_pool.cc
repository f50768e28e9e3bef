#include "core/thread_pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qlite {
namespace {

constexpr int kSpins = 2000;
constexpr int kMaxThreads = 1024;

void Pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The pool whose job this thread is working on, and as which worker.
struct Current {
  const ThreadPool* pool = nullptr;
  int worker = 0;
};
thread_local Current current;

}  // namespace

ThreadPool::ThreadPool(int num_threads) {
  const int wanted = std::clamp(num_threads, 1, kMaxThreads);
  taken_ = std::make_unique<std::atomic<bool>[]>(static_cast<size_t>(wanted));
  failures_.resize(static_cast<size_t>(wanted));
  threads_.reserve(static_cast<size_t>(wanted) - 1);
  try {
    for (int worker = 1; worker < wanted; ++worker) {
      threads_.emplace_back([this, worker] { ThreadMain(worker); });
    }
  } catch (const std::exception&) {
    // No more threads, or no memory for them: the threads there are do all the work.
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  state_.fetch_add(2);
  state_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::ParallelFor(int64_t units, Work work) {
  if (units <= 0) return;
  if (units == 1 || threads_.empty() || busy_.exchange(true)) {
    work(0, units, current.pool == this ? current.worker : 0);
    return;
  }
  job_.units = units;
  job_.chunks = static_cast<int>(std::min<int64_t>(units, concurrency()));
  job_.work = &work;
  for (int i = 0; i < job_.chunks; ++i) taken_[static_cast<size_t>(i)].store(false, std::memory_order_relaxed);
  state_.fetch_add(1);
  state_.notify_all();
  TakeChunks(0);
  state_.fetch_add(1);
  AwaitThreadsLeaving();
  const std::exception_ptr failure = TakeFirstFailure();
  busy_.store(false);
  if (failure) std::rethrow_exception(failure);
}

std::exception_ptr ThreadPool::TakeFirstFailure() {
  std::exception_ptr first;
  for (int i = job_.chunks - 1; i >= 0; --i) {
    std::exception_ptr& failure = failures_[static_cast<size_t>(i)];
    if (failure) first = std::exchange(failure, nullptr);
  }
  return first;
}

void ThreadPool::TakeChunks(int worker) {
  const Current before = std::exchange(current, {this, worker});
  for (int i = 0; i < job_.chunks; ++i) {
    const int chunk = (worker + i) % job_.chunks;
    if (taken_[static_cast<size_t>(chunk)].exchange(true)) continue;
    // units * chunk could pass 64 bits.
    const int64_t size = job_.units / job_.chunks;
    const int64_t larger = job_.units % job_.chunks;
    const int64_t begin = size * chunk + std::min<int64_t>(chunk, larger);
    try {
      (*job_.work)(begin, begin + size + (chunk < larger ? 1 : 0), worker);
    } catch (...) {
      failures_[static_cast<size_t>(chunk)] = std::current_exception();
    }
  }
  current = before;
}

// Every chunk is taken by now, so once nobody is inside all are done.
void ThreadPool::AwaitThreadsLeaving() {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (inside_.load() == 0) return;
    Pause();
  }
  for (int32_t inside = inside_.load(); inside != 0; inside = inside_.load()) inside_.wait(inside);
}

int32_t ThreadPool::AwaitChange(int32_t seen) const {
  for (int spin = 0; spin < kSpins; ++spin) {
    const int32_t state = state_.load();
    if (state != seen) return state;
    Pause();
  }
  state_.wait(seen);
  return state_.load();
}

void ThreadPool::ThreadMain(int worker) {
  // The loader allocates a thread's data at their first use: here, not in the middle of whatever job comes first.
  current.worker = worker;
  int32_t seen = 0;
  while (!stop_.load()) {
    seen = AwaitChange(seen);
    if (seen % 2 == 0) continue;
    inside_.fetch_add(1);
    if (state_.load() == seen) TakeChunks(worker);
    if (inside_.fetch_sub(1) == 1) inside_.notify_all();
  }
}

std::shared_ptr<Executor> MakeThreadPool(int num_threads) {
  const int wanted = num_threads > 0 ? num_threads : static_cast<int>(std::thread::hardware_concurrency());
  return std::make_shared<ThreadPool>(wanted);
}

}  // namespace qlite
