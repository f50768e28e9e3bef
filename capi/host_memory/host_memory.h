// All memory of the library from the host's allocator, in builds that can: one of the two sources beside this header
// is linked.
#ifndef QLITE_CAPI_HOST_MEMORY_HOST_MEMORY_H_
#define QLITE_CAPI_HOST_MEMORY_HOST_MEMORY_H_

#include "absl/status/status.h"
#include "capi/qlite.h"

namespace qlite::capi {

// From now on memory is asked of `allocator`; blocks go back to where they came from. kFailedPrecondition where another
// allocator is in use already, kUnimplemented in a library that shares its C++ runtime with the host.
absl::Status UseHostMemory(const qlite_allocator& allocator);

}  // namespace qlite::capi

#endif  // QLITE_CAPI_HOST_MEMORY_HOST_MEMORY_H_
