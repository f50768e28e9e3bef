#include "runtime/layout.h"

namespace qlite {

int64_t ElementsOf(std::span<const int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents) product *= extent;
  return product;
}

std::vector<int> PhysicalOrder(size_t rank, Layout layout) {
  std::vector<int> order;
  for (size_t i = 0; i < rank; ++i) order.push_back(static_cast<int>(i));
  if (layout == Layout::kChannelsLast && rank >= 3) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  }
  return order;
}

Extents PhysicalExtents(const Extents& extents, Layout layout) {
  Extents physical;
  for (int axis : PhysicalOrder(extents.size(), layout)) physical.push_back(extents[static_cast<size_t>(axis)]);
  return physical;
}

int64_t PhysicalAxis(int64_t axis, size_t rank, Layout layout) {
  if (layout == Layout::kRowMajor || rank < 3 || axis == 0) return axis;
  return axis == 1 ? static_cast<int64_t>(rank) - 1 : axis - 1;
}

std::vector<int64_t> DenseStrides(const Extents& extents, Layout layout) {
  std::vector<int64_t> strides(extents.size());
  const std::vector<int> order = PhysicalOrder(extents.size(), layout);
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<size_t>(order[i]);
    strides[axis] = stride;
    stride *= extents[axis];
  }
  return strides;
}

bool LayoutsAgree(const Extents& extents) {
  if (extents.size() < 3 || extents[1] == 1) return true;
  for (size_t i = 2; i < extents.size(); ++i) {
    if (extents[i] != 1) return false;
  }
  return true;
}

bool IsDense(const Extents& extents, std::span<const int64_t> strides, Layout layout) {
  const std::vector<int64_t> dense = DenseStrides(extents, layout);
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] != 1 && strides[i] != dense[i]) return false;
  }
  return true;
}

}  // namespace qlite
