// The memory of one running program, and the loop over its steps.
#ifndef QLITE_RUNTIME_PROGRAM_RUNNER_H_
#define QLITE_RUNTIME_PROGRAM_RUNNER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "qlite/context.h"
#include "runtime/program.h"

namespace qlite {

// Memory of the host's side of a program, one block for each input and each output; slack included.
struct SessionBuffers {
  std::vector<std::shared_ptr<std::byte>> inputs, outputs;

  static SessionBuffers For(const Program& program);
};

// Runs a program on its own arena and workspaces. Not thread-safe; runners of one program are independent.
class ProgramRunner {
 public:
  // Throws std::bad_alloc. `buffers` and `executor` must outlive the runner.
  ProgramRunner(std::shared_ptr<const Program> program, const SessionBuffers& buffers, Executor& executor);

  const Program& program() const { return *program_; }
  // Bytes of arena and workspaces.
  size_t memory_bytes() const { return memory_bytes_; }

  // Runs the steps in order; allocates nothing. The first error ends the run.
  absl::Status Run() const;
  // The same, with a call before the first step and after every step; joined ones count as the steps they were.
  absl::Status RunWatched(absl::FunctionRef<void(size_t steps_done)> watch) const;
  // The same; `parts` is called inside of steps that make their results in parts, as Frame::Parts::tell is, with the
  // number of steps done before.
  using Parts = absl::FunctionRef<void(size_t steps_done, const std::byte* value, int64_t end)>;
  absl::Status RunWatched(absl::FunctionRef<void(size_t steps_done)> watch, Parts parts, bool split) const;

  // Where a placement lies in this runner's memory.
  const std::byte* Locate(const Operand& operand) const;

 private:
  // `done` counts the steps; the caller set it to 0.
  absl::Status RunSteps(const Frame& frame, absl::FunctionRef<void(size_t steps_done)> watch, size_t* done) const;

  std::shared_ptr<const Program> program_;
  std::shared_ptr<std::byte> arena_, workspace_;
  std::vector<std::byte*> buffers_;
  size_t workspace_stride_ = 0;
  size_t memory_bytes_ = 0;
  Executor& executor_;
};

}  // namespace qlite

#endif  // QLITE_RUNTIME_PROGRAM_RUNNER_H_
