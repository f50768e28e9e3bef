// A lowered graph: steps over planned buffers. Immutable once built and shared by the forks of a session.
#ifndef QLITE_RUNTIME_PROGRAM_H_
#define QLITE_RUNTIME_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "qlite/session.h"
#include "runtime/layout.h"

namespace qlite {

// Where memory of a step is: a place in a buffer of the running session, or constant memory that the program keeps.
struct Operand {
  int32_t buffer = -1;  // index into Program::buffers; -1 for a constant or for nothing
  int64_t offset = 0;   // bytes
  const std::byte* constant = nullptr;

  bool present() const { return buffer >= 0 || constant != nullptr; }
  Operand Plus(int64_t bytes) const {
    Operand moved = *this;
    moved.offset += bytes;
    return moved;
  }
};

// What a step sees of the session that runs it. Not kept beyond the call.
class Frame {
 public:
  // workspace: concurrency() pieces of workspace_stride bytes, aligned.
  // Where given, is told what a step has made of its first output, while that lies in the nearest caches.
  struct Parts {
    // `step`: of several that were joined, counted from 0. `value`: where its output would begin as a whole; what is
    // new of it goes from where the call before ended to `end` bytes, in the order of memory.
    absl::FunctionRef<void(size_t step, const std::byte* value, int64_t end)> tell;
    bool split;  // large outputs are made in parts for this alone
  };
  Frame(std::byte* const* buffers, std::byte* workspace, size_t workspace_stride, Executor& executor,
        const Parts* parts = nullptr)
      : buffers_(buffers),
        workspace_(workspace),
        workspace_stride_(workspace_stride),
        executor_(executor),
        parts_(executor.concurrency() == 1 ? parts : nullptr) {}

  // Null for an absent operand.
  template <class T>
  const T* In(const Operand& operand) const {
    const std::byte* base = operand.buffer >= 0 ? buffers_[operand.buffer] : operand.constant;
    return base == nullptr ? nullptr : reinterpret_cast<const T*>(base + operand.offset);
  }
  // The operand is in a buffer.
  template <class T>
  T* Out(const Operand& operand) const {
    return reinterpret_cast<T*>(buffers_[operand.buffer] + operand.offset);
  }
  std::byte* const* buffers() const { return buffers_; }
  // The same over other memory, for work on one thread that tells nobody of parts itself.
  Frame WithBuffers(std::byte* const* buffers) const { return {buffers, workspace_, workspace_stride_, executor_}; }
  std::byte* Workspace(int worker) const { return workspace_ + static_cast<size_t>(worker) * workspace_stride_; }

  // Null where nobody asks, and with several threads, which make no result from its beginning to its end.
  const Parts* parts() const { return parts_; }

  // Calls `work` for ranges that cover [0, units), on the caller's thread alone where the whole costs less than waking
  // another one. `cost` is a rough number of nanoseconds of one thread.
  void ParallelFor(int64_t units, double cost,
                   absl::FunctionRef<void(int64_t begin, int64_t end, int worker)> work) const {
    constexpr double kWorthSplitting = 8000;
    if (units <= 0) return;
    if (units == 1 || cost < kWorthSplitting || executor_.concurrency() == 1) return work(0, units, 0);
    executor_.ParallelFor(units, work);
  }

 private:
  std::byte* const* buffers_;
  std::byte* workspace_;
  size_t workspace_stride_;
  Executor& executor_;
  const Parts* parts_;
};

using RunFunction = std::function<absl::Status(const Frame&)>;

struct RowForm;

struct Step {
  NodeId node;  // whose time it is; invalid for conversions of inputs and outputs, the first of several
  RunFunction run;
  size_t joined = 1;  // how many steps it was before JoinStrips
  // For JoinStrips: the buffers that the step reads or writes, and how it makes its result by rows, if it can.
  std::vector<int32_t> touched;
  std::shared_ptr<const RowForm> by_rows;
};

// Who owns the memory of a buffer.
enum class BufferHome : uint8_t { kArena, kSessionInput, kSessionOutput };

struct PlannedBuffer {
  BufferHome home = BufferHome::kArena;
  size_t index = 0;                         // of the session's input or output
  int64_t bytes = 0;                        // slack for reading behind the end included
  int64_t offset = 0;                       // in the arena
  int32_t first_step = -1, last_step = -1;  // those that touch it; -1: never used
};

// Where a value lies.
struct Placement {
  Operand at;
  ElementType type = ElementType::kUndefined;
  Extents dims;  // logical
  Layout layout = Layout::kRowMajor;
  // Channels-last: elements from one pixel to the next, the number of channels where it is dense.
  int64_t pixel_stride = 0;

  int64_t elements() const { return ElementsOf(dims); }
  int64_t bytes() const { return elements() * static_cast<int64_t>(ElementSize(type)); }
  bool dense() const { return layout == Layout::kRowMajor || pixel_stride == dims[1]; }
  // By logical dimension, in elements.
  std::vector<int64_t> Strides() const;
};

// A value that is in memory once `after_steps` steps have run.
struct TapPoint {
  size_t after_steps = 0;  // of those that there were before JoinStrips
  ValueId value;
  Placement at;
  bool in_parts = false;  // never whole: joined steps tell its parts (Frame::Parts)
};

// A graph input or output as the host sees it.
struct SessionValue {
  std::string name;
  ElementType type = ElementType::kUndefined;
  Extents dims;
  int64_t bytes() const { return ElementsOf(dims) * static_cast<int64_t>(ElementSize(type)); }
};

struct Program {
  std::vector<Step> steps;
  std::vector<PlannedBuffer> buffers;
  std::vector<TapPoint> taps;  // by after_steps
  std::vector<SessionValue> inputs, outputs;
  int64_t arena_bytes = 0;
  int64_t workspace_bytes = 0;  // of each worker
  Float16Use float16 = Float16Use::kNone;
  int64_t weights_bytes = 0;  // memory that `kept` adds to the graph's own constants
  int64_t coded_bytes = 0;    // of these: integer weights that products decode
  std::vector<std::shared_ptr<const void>> kept;
};

}  // namespace qlite

#endif  // QLITE_RUNTIME_PROGRAM_H_
