#include "runtime/memory_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/aligned_memory.h"

namespace qlite {
namespace {

struct Placed {
  int64_t begin, end;
};

bool SameTime(const BufferLife& a, const BufferLife& b) { return a.first <= b.last && b.first <= a.last; }

// The start of the smallest gap between `taken` (sorted by begin) that holds `bytes`, or of the space behind all.
int64_t BestGap(const std::vector<Placed>& taken, int64_t bytes) {
  int64_t free_from = 0, best = -1, best_size = std::numeric_limits<int64_t>::max();
  for (const Placed& block : taken) {
    const int64_t gap = block.begin - free_from;
    if (gap >= bytes && gap < best_size) {
      best = free_from;
      best_size = gap;
    }
    free_from = std::max(free_from, block.end);
  }
  return best >= 0 ? best : free_from;
}

}  // namespace

MemoryPlan PlanMemory(const std::vector<BufferLife>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<size_t> placed;  // by ascending offset
  std::vector<Placed> taken;
  for (size_t buffer : order) {
    taken.clear();
    for (size_t other : placed) {
      if (!SameTime(buffers[buffer], buffers[other])) continue;
      const auto size = static_cast<int64_t>(RoundUpToAlignment(static_cast<size_t>(buffers[other].bytes)));
      taken.push_back({plan.offsets[other], plan.offsets[other] + size});
    }
    const auto bytes = static_cast<int64_t>(RoundUpToAlignment(static_cast<size_t>(buffers[buffer].bytes)));
    const int64_t offset = BestGap(taken, bytes);
    plan.offsets[buffer] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), buffer,
                                   [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
                  buffer);
  }
  return plan;
}

}  // namespace qlite
