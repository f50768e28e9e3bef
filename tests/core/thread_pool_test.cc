#include "core/thread_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <numeric>
#include <thread>

namespace qlite {
namespace {

// Every unit is done once, workers are in range and never used by two calls at a time.
void CheckLoop(Executor& executor, int64_t units) {
  const auto size = static_cast<size_t>(units);
  std::vector<std::atomic<int>> done(size);
  std::vector<std::atomic<int>> working(static_cast<size_t>(executor.concurrency()));
  std::atomic<int> wrong{0};
  executor.ParallelFor(units, [&](int64_t begin, int64_t end, int worker) {
    if (worker < 0 || worker >= executor.concurrency() || begin >= end) {
      ++wrong;
      return;
    }
    if (working[static_cast<size_t>(worker)].fetch_add(1) != 0) ++wrong;
    for (int64_t i = begin; i < end; ++i) ++done[static_cast<size_t>(i)];
    --working[static_cast<size_t>(worker)];
  });
  CHECK(wrong == 0);
  CHECK(std::all_of(done.begin(), done.end(), [](const std::atomic<int>& count) { return count == 1; }));
}

TEST_CASE("ParallelFor covers every unit once") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.concurrency() == threads);
    for (const int64_t units : {0, 1, 2, 3, 7, 8, 9, 100, 1000}) CheckLoop(pool, units);
  }
}

TEST_CASE("chunks are contiguous and even") {
  ThreadPool pool(4);
  std::atomic<int> calls{0};
  std::atomic<int64_t> smallest{1000}, largest{0};
  pool.ParallelFor(11, [&](int64_t begin, int64_t end, int) {
    ++calls;
    int64_t size = end - begin;
    for (int64_t seen = smallest; size < seen && !smallest.compare_exchange_weak(seen, size);) {
    }
    for (int64_t seen = largest; size > seen && !largest.compare_exchange_weak(seen, size);) {
    }
  });
  CHECK(calls == 4);
  CHECK(smallest == 2);
  CHECK(largest == 3);
}

TEST_CASE("a range as wide as the type") {
  ThreadPool pool(2);
  std::atomic<uint64_t> total{0};
  pool.ParallelFor(std::numeric_limits<int64_t>::max(),
                   [&](int64_t begin, int64_t end, int) { total += static_cast<uint64_t>(end - begin); });
  CHECK(total == static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

TEST_CASE("many short loops one after another") {
  ThreadPool pool(3);
  std::vector<int64_t> data(64, 0);
  constexpr int kLoops = 20000;
  for (int loop = 0; loop < kLoops; ++loop) {
    pool.ParallelFor(64, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) ++data[static_cast<size_t>(i)];
    });
  }
  CHECK(std::all_of(data.begin(), data.end(), [](int64_t count) { return count == kLoops; }));
}

TEST_CASE("loops within loops run and keep their worker") {
  ThreadPool pool(4);
  std::atomic<int64_t> sum{0};
  std::atomic<int> wrong{0};
  for (int repeat = 0; repeat < 200; ++repeat) {
    pool.ParallelFor(8, [&](int64_t begin, int64_t end, int worker) {
      for (int64_t i = begin; i < end; ++i) {
        pool.ParallelFor(10, [&](int64_t first, int64_t last, int inner) {
          if (inner != worker) ++wrong;
          sum += last - first;
        });
      }
    });
  }
  CHECK(sum == 200 * 80);
  CHECK(wrong == 0);
}

TEST_CASE("several threads may use one pool at once") {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::vector<int64_t> sums(6, 0);
  for (size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (int loop = 0; loop < 2000; ++loop) {
        std::atomic<int64_t> sum{0};
        pool.ParallelFor(50, [&](int64_t begin, int64_t end, int) { sum += end - begin; });
        sums[caller] += sum;
      }
    });
  }
  for (std::thread& thread : callers) thread.join();
  for (const int64_t sum : sums) CHECK(sum == 2000 * 50);
}

TEST_CASE("threads that sleep wake up") {
  ThreadPool pool(2);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CheckLoop(pool, 10);
  }
}

TEST_CASE("uneven work waits for the slowest thread") {
  ThreadPool pool(2);
  std::atomic<bool> finished{false};
  pool.ParallelFor(2, [&](int64_t begin, int64_t, int) {
    if (begin == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    finished = true;
  });
  CHECK(finished);
}

TEST_CASE("pools come and go") {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(1 + i % 4);
    if (i % 2 == 0) CheckLoop(pool, 5);
  }
  CHECK(MakeThreadPool(0)->concurrency() >= 1);
  CHECK(ThreadPool(-3).concurrency() == 1);
}

}  // namespace
}  // namespace qlite
