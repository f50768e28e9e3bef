// What the processor's last-level cache is like, for choices that change no result.
#ifndef QLITE_KERNELS_LAST_CACHE_H_
#define QLITE_KERNELS_LAST_CACHE_H_

namespace qlite::kernels {

// Whether the last-level cache is near: of the core's own complex and at its clock, as in AMD's processors, not behind a
// mesh of all cores. Large values come from there nearly as fast as from the second-level cache. False where unknown.
bool HasNearLastCache();

}  // namespace qlite::kernels

#endif  // QLITE_KERNELS_LAST_CACHE_H_
