// How the elements of a value lie in memory.
#ifndef QLITE_RUNTIME_LAYOUT_H_
#define QLITE_RUNTIME_LAYOUT_H_

#include <cstdint>
#include <span>
#include <vector>

namespace qlite {

using Extents = std::vector<int64_t>;

enum class Layout : uint8_t {
  kRowMajor,      // the order of the graph's dimensions
  kChannelsLast,  // a value of extents [N, C, spatial...], rank 3 and above, lies as [N, spatial..., C]
};

// The product of `extents`; 1 for none.
int64_t ElementsOf(std::span<const int64_t> extents);

// The logical dimension that lies at each physical position, outermost first.
std::vector<int> PhysicalOrder(size_t rank, Layout layout);

// `extents` in physical order.
Extents PhysicalExtents(const Extents& extents, Layout layout);

// The physical position of logical dimension `axis`.
int64_t PhysicalAxis(int64_t axis, size_t rank, Layout layout);

// Elements from one index to the next, by logical dimension, of dense memory.
std::vector<int64_t> DenseStrides(const Extents& extents, Layout layout);

// Both layouts are the same order of elements.
bool LayoutsAgree(const Extents& extents);

// `strides` describe dense memory in the layout, extents of 1 aside.
bool IsDense(const Extents& extents, std::span<const int64_t> strides, Layout layout);

}  // namespace qlite

#endif  // QLITE_RUNTIME_LAYOUT_H_
