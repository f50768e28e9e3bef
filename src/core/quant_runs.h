// Which elements of a value share which quantization parameters, as runs of neighbours in memory.
#ifndef QLITE_CORE_QUANT_RUNS_H_
#define QLITE_CORE_QUANT_RUNS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>

#include "core/checked_math.h"

namespace qlite {

// `count` neighbours from element `begin` on. They share the pair `param` of scale and zero point, or, where not
// `shared`, have `param`, `param` + 1, ...
struct QuantRun {
  int64_t begin = 0, count = 0, param = 0;
  bool shared = true;
};

// The parameters of a row-major value of extents `dims` that is quantized along `axis` (-1: as a whole) in blocks of
// `block_size` (0: no blocks), numbered as in QuantParams.
class QuantRuns {
 public:
  QuantRuns(std::span<const int64_t> dims, int64_t axis, int64_t block_size) : block_size_(block_size) {
    const auto product = [](std::span<const int64_t> part) {
      return std::accumulate(part.begin(), part.end(), int64_t{1}, std::multiplies<>());
    };
    whole_ = axis < 0;
    if (whole_) {
      inner_ = product(dims);
      return;
    }
    const auto at = static_cast<size_t>(axis);
    outer_ = product(dims.first(at));
    extent_ = dims[at];
    inner_ = product(dims.subspan(at + 1));
    blocks_ = block_size > 0 ? CeilDiv(extent_, block_size) : 0;
  }

  int64_t params() const {
    if (whole_) return 1;
    return block_size_ > 0 ? outer_ * blocks_ * inner_ : extent_;
  }

  // Calls visit(QuantRun) for every element of the parameters [first, last), those of one parameter in memory order.
  template <class Visit>
  void ForEach(int64_t first, int64_t last, Visit visit) const {
    if (first >= last) return;
    if (whole_) return visit(QuantRun{0, inner_, 0, true});
    if (block_size_ > 0) return ForEachBlock(first, last, visit);
    if (inner_ == 1) {
      for (int64_t o = 0; o < outer_; ++o) visit(QuantRun{o * extent_ + first, last - first, first, false});
      return;
    }
    for (int64_t p = first; p < last; ++p) {
      for (int64_t o = 0; o < outer_; ++o) visit(QuantRun{(o * extent_ + p) * inner_, inner_, p, true});
    }
  }

 private:
  template <class Visit>
  void ForEachBlock(int64_t first, int64_t last, Visit visit) const {
    for (int64_t row = first / inner_; row * inner_ < last; ++row) {
      const int64_t from = std::max(first, row * inner_), to = std::min(last, (row + 1) * inner_);
      const int64_t begin = row % blocks_ * block_size_, end = std::min(extent_, begin + block_size_);
      const int64_t line = row / blocks_ * extent_;
      if (inner_ == 1) {
        visit(QuantRun{line + begin, end - begin, row, true});
        continue;
      }
      for (int64_t a = begin; a < end; ++a) {
        visit(QuantRun{(line + a) * inner_ + from - row * inner_, to - from, from, false});
      }
    }
  }

  bool whole_ = false;
  int64_t outer_ = 1, extent_ = 1, inner_ = 1, block_size_ = 0, blocks_ = 0;
};

}  // namespace qlite

#endif  // QLITE_CORE_QUANT_RUNS_H_
