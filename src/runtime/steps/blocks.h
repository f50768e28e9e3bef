// Cutting a flat range of elements into blocks that threads share.
#ifndef QLITE_RUNTIME_STEPS_BLOCKS_H_
#define QLITE_RUNTIME_STEPS_BLOCKS_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "runtime/program.h"

namespace qlite {

// Elements of a block: few enough that one stays in the first-level cache between two passes over it.
inline constexpr int64_t kBlockElements = 2048;

// Calls `work(begin, end)`, or `work(begin, end, worker)`, for ranges of elements that cover [0, elements), cut at
// multiples of kBlockElements. `cost` is in nanoseconds an element.
template <class Work>
void ForBlocks(const Frame& frame, int64_t elements, double cost, const Work& work) {
  const int64_t blocks = (elements + kBlockElements - 1) / kBlockElements;
  frame.ParallelFor(blocks, cost * static_cast<double>(elements), [&](int64_t begin, int64_t end, int worker) {
    const int64_t first = begin * kBlockElements, last = std::min(end * kBlockElements, elements);
    if constexpr (std::is_invocable_v<Work, int64_t, int64_t, int>) {
      work(first, last, worker);
    } else {
      work(first, last);
    }
  });
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_STEPS_BLOCKS_H_
