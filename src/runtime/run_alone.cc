#include "runtime/run_alone.h"

#include <cstring>
#include <utility>

#include "runtime/program_runner.h"

namespace qlite {
namespace {

class CallingThread : public Executor {
 public:
  int concurrency() const override { return 1; }
  void ParallelFor(int64_t units, absl::FunctionRef<void(int64_t, int64_t, int)> work) override {
    if (units > 0) work(0, units, 0);
  }
};

}  // namespace

absl::StatusOr<std::vector<Tensor>> RunAlone(const Graph& graph, const LoweringOptions& options,
                                             std::span<const std::byte> input) {
  auto program = Lowering::Lower(graph, options);
  if (!program.ok()) return program.status();
  auto shared = std::make_shared<const Program>(std::move(*program));
  const SessionBuffers buffers = SessionBuffers::For(*shared);
  if (!input.empty()) std::memcpy(buffers.inputs[0].get(), input.data(), input.size());
  CallingThread executor;
  const ProgramRunner runner(shared, buffers, executor);
  if (absl::Status status = runner.Run(); !status.ok()) return status;
  std::vector<Tensor> results;
  for (size_t i = 0; i < shared->outputs.size(); ++i) {
    const SessionValue& output = shared->outputs[i];
    auto tensor = Tensor::Create(output.type, output.dims,
                                 Buffer::Copy(buffers.outputs[i].get(), static_cast<size_t>(output.bytes())));
    if (!tensor.ok()) return tensor.status();
    results.push_back(std::move(*tensor));
  }
  return results;
}

}  // namespace qlite
