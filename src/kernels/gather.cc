#include "kernels/gather.h"

#include <cstring>

namespace qlite::kernels {

template <typename Index>
int64_t FirstBadIndex(const Index* indices, int64_t count, int64_t axis_length) {
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] < -axis_length || indices[i] >= axis_length) return i;
  }
  return -1;
}

template <typename Index>
bool Gather(const void* in, const Index* indices, void* out, int64_t axis_length, int64_t count, int64_t inner_bytes,
            int64_t begin, int64_t end) {
  const char* source = static_cast<const char*>(in);
  char* target = static_cast<char*>(out) + begin * inner_bytes;
  for (int64_t unit = begin; unit < end; ++unit, target += inner_bytes) {
    int64_t index = indices[unit % count];
    if (index < -axis_length || index >= axis_length) return false;
    if (index < 0) index += axis_length;
    const char* block = source + (unit / count * axis_length + index) * inner_bytes;
    // A size known to the compiler spares the call for single elements.
    if (inner_bytes == 4) {
      std::memcpy(target, block, 4);
    } else if (inner_bytes == 8) {
      std::memcpy(target, block, 8);
    } else {
      std::memcpy(target, block, static_cast<size_t>(inner_bytes));
    }
  }
  return true;
}

template int64_t FirstBadIndex<int32_t>(const int32_t*, int64_t, int64_t);
template int64_t FirstBadIndex<int64_t>(const int64_t*, int64_t, int64_t);
template bool Gather<int32_t>(const void*, const int32_t*, void*, int64_t, int64_t, int64_t, int64_t, int64_t);
template bool Gather<int64_t>(const void*, const int64_t*, void*, int64_t, int64_t, int64_t, int64_t, int64_t);

}  // namespace qlite::kernels
