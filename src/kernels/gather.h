// Gather along one axis.
#ifndef QLITE_KERNELS_GATHER_H_
#define QLITE_KERNELS_GATHER_H_

#include <cstdint>

namespace qlite::kernels {

// The position of the first index outside [-axis_length, axis_length), or -1 when all are inside.
// Index: int32_t, int64_t.
template <typename Index>
int64_t FirstBadIndex(const Index* indices, int64_t count, int64_t axis_length);

// The input is (outer, axis_length, inner_bytes) bytes, the output (outer, count, inner_bytes): block u of the output,
// with u = o*count + j, is the input's block o*axis_length + indices[j]; negative indices count from the end. Blocks
// [begin, end) of outer*count. False when an index that is used is out of range; the output then is unspecified.
template <typename Index>
bool Gather(const void* in, const Index* indices, void* out, int64_t axis_length, int64_t count, int64_t inner_bytes,
            int64_t begin, int64_t end);

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_GATHER_H_
