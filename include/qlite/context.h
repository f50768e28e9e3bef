// What a host lends to the library: threads, a logger, limits, and a choice of instruction set. There are no globals.
#ifndef QLITE_CONTEXT_H_
#define QLITE_CONTEXT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace qlite {

// Runs work on threads. Implement it to lend the library the host's own pool.
class Executor {
 public:
  virtual ~Executor() = default;
  // The number of threads that may work at once, the calling one included; at least 1.
  virtual int concurrency() const = 0;
  // Calls `work(begin, end, worker)` for disjoint ranges that cover [0, units), with 0 <= worker < concurrency() and no
  // two calls with one worker at a time, and returns when all have returned. `work` does not throw. Must be callable
  // from several threads at once. Results never depend on how the ranges are cut.
  virtual void ParallelFor(int64_t units, absl::FunctionRef<void(int64_t begin, int64_t end, int worker)> work) = 0;
};

// A pool of `num_threads` threads, the calling one included; 0 means as many as the machine has.
std::shared_ptr<Executor> MakeThreadPool(int num_threads);

enum class LogLevel : uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };

// Receives messages; called from any thread, one call at a time.
using LogSink = std::function<void(LogLevel, std::string_view)>;

// Writes "[warning] text" lines to stderr. For programs; a library's host usually has its own.
LogSink MakeStderrLogSink(LogLevel lowest);

// How far a long operation is. total is 0 where it is not known.
struct Progress {
  std::string_view stage;  // "calibrate", "bias correction", ...
  int64_t done = 0;
  int64_t total = 0;
};
// Returns false to cancel: the operation then stops soon and returns kCancelled. Called from one thread at a time.
using ProgressCallback = std::function<bool(const Progress&)>;

// Bounds that every reader keeps to before it takes memory.
struct Limits {
  uint64_t max_file_bytes = uint64_t{16} << 30;
  uint64_t max_tensor_bytes = uint64_t{8} << 30;
  int64_t max_nodes = 1 << 20;
  // Tensors of a graph: inputs, constants, and results of nodes.
  int64_t max_tensors = 1 << 22;
  uint64_t max_image_pixels = uint64_t{1} << 28;
  // For activations, packed weights and unmapped constants of a Session, or of a whole calibration; 0: no limit.
  uint64_t memory_budget_bytes = 0;
};

struct ContextOptions {
  // Null: a pool of `num_threads`.
  std::shared_ptr<Executor> executor;
  int num_threads = 1;  // 0: as many as the machine has
  LogSink log;          // empty: silent
  ProgressCallback progress;
  Limits limits;
  // "generic", "sse42", "avx2", "avx512", "avxvnni", "avx512vnni", "amxint8", or on AArch64 "generic", "neon",
  // "neondot": the instruction set to use, with those it comes on top of; empty: the value of the environment variable
  // QLITE_ISA, or the best there is. Results are the same bits with any of them. Using "amxint8", which is the best on
  // processors that have it, takes a permission that Linux grants to the whole process and that makes sigaltstack(2)
  // want larger stacks. The first context that chooses among all or names it asks; where the kernel refuses, the best
  // is "avx512vnni". Contexts that name another one do not ask.
  std::string isa;
};

// Cheap to copy (shared state); safe from any thread.
class Context {
 public:
  // kInvalidArgument for an unknown or unavailable instruction set (the message lists those there are) or a negative
  // thread count.
  static absl::StatusOr<Context> Create(ContextOptions options = {});

  Executor& executor() const;
  const Limits& limits() const;
  // The name of the instruction set in use.
  std::string_view isa() const;
  void Log(LogLevel level, std::string_view message) const;
  // kCancelled where the callback said so.
  absl::Status Report(const Progress& progress) const;
  // The same context with another executor, e.g. a single thread for work that is already spread over threads.
  Context WithExecutor(std::shared_ptr<Executor> executor) const;

 private:
  struct State;
  explicit Context(std::shared_ptr<const State> state);
  std::shared_ptr<const State> state_;
};

}  // namespace qlite

#endif  // QLITE_CONTEXT_H_
