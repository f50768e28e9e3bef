// Where temporary buffers lie in one block of memory.
#ifndef QLITE_RUNTIME_MEMORY_PLAN_H_
#define QLITE_RUNTIME_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

namespace qlite {

// A buffer that is in use from step `first` to step `last`, both included.
struct BufferLife {
  int64_t bytes = 0;
  int32_t first = 0;
  int32_t last = 0;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // by buffer, multiples of 64
  int64_t bytes = 0;             // of the block
};

// Buffers in use at a common step never overlap. Largest first, each in the smallest gap that holds it (Pisarchyk and
// Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, greedy by size). The same buffers give the
// same plan.
MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers);

}  // namespace qlite

#endif  // QLITE_RUNTIME_MEMORY_PLAN_H_
