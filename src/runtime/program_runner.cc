#include "runtime/program_runner.h"

#include "core/aligned_memory.h"
#include "kernels/quantized.h"

namespace qlite {

SessionBuffers SessionBuffers::For(const Program& program) {
  SessionBuffers buffers;
  const auto allocate = [](const SessionValue& value) {
    return AllocateAligned(static_cast<size_t>(value.bytes()) + kernels::kReadSlackBytes);
  };
  for (const SessionValue& input : program.inputs) buffers.inputs.push_back(allocate(input));
  for (const SessionValue& output : program.outputs) buffers.outputs.push_back(allocate(output));
  return buffers;
}

ProgramRunner::ProgramRunner(std::shared_ptr<const Program> program, const SessionBuffers& buffers, Executor& executor)
    : program_(std::move(program)), executor_(executor) {
  const auto arena_bytes = static_cast<size_t>(program_->arena_bytes);
  workspace_stride_ = RoundUpToAlignment(static_cast<size_t>(program_->workspace_bytes));
  const size_t workspace_bytes = workspace_stride_ * static_cast<size_t>(executor.concurrency());
  arena_ = AllocateAligned(arena_bytes);
  workspace_ = AllocateAligned(workspace_bytes);
  memory_bytes_ = arena_bytes + workspace_bytes;
  for (const PlannedBuffer& buffer : program_->buffers) {
    switch (buffer.home) {
      case BufferHome::kArena:
        buffers_.push_back(arena_.get() + buffer.offset);
        break;
      case BufferHome::kSessionInput:
        buffers_.push_back(buffers.inputs[buffer.index].get());
        break;
      case BufferHome::kSessionOutput:
        buffers_.push_back(buffers.outputs[buffer.index].get());
        break;
    }
  }
}

const std::byte* ProgramRunner::Locate(const Operand& operand) const {
  const std::byte* base = operand.buffer >= 0 ? buffers_[static_cast<size_t>(operand.buffer)] : operand.constant;
  return base + operand.offset;
}

absl::Status ProgramRunner::Run() const {
  const Frame frame(buffers_.data(), workspace_.get(), workspace_stride_, executor_);
  for (const Step& step : program_->steps) {
    if (absl::Status status = step.run(frame); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ProgramRunner::RunWatched(absl::FunctionRef<void(size_t steps_done)> watch) const {
  size_t done = 0;
  return RunSteps(Frame(buffers_.data(), workspace_.get(), workspace_stride_, executor_), watch, &done);
}

absl::Status ProgramRunner::RunWatched(absl::FunctionRef<void(size_t steps_done)> watch, Parts parts,
                                       bool split) const {
  size_t done = 0;
  const auto tell = [&](size_t step, const std::byte* value, int64_t end) { parts(done + step, value, end); };
  const Frame::Parts step_parts{tell, split};
  const Frame frame(buffers_.data(), workspace_.get(), workspace_stride_, executor_, &step_parts);
  return RunSteps(frame, watch, &done);
}

absl::Status ProgramRunner::RunSteps(const Frame& frame, absl::FunctionRef<void(size_t steps_done)> watch,
                                     size_t* done) const {
  watch(0);
  for (const Step& step : program_->steps) {
    if (absl::Status status = step.run(frame); !status.ok()) return status;
    watch(*done += step.joined);
  }
  return absl::OkStatus();
}

}  // namespace qlite
