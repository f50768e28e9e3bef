#include "kernels/last_cache.h"

namespace qlite::kernels {

bool HasNearLastCache() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

}  // namespace qlite::kernels
