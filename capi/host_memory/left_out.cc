// Where the C++ runtime and third-party code are shared with the rest of the process, their memory is not the library's
// to place.
#include "capi/host_memory/host_memory.h"

namespace qlite::capi {

absl::Status UseHostMemory(const qlite_allocator&) {
  return absl::UnimplementedError("only the self-contained library takes an allocator of the host");
}

}  // namespace qlite::capi
