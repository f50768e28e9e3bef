#include "capi/call.h"
#include "capi/host_memory/host_memory.h"

using namespace qlite::capi;

qlite_status qlite_set_allocator(const qlite_allocator* allocator) {
  return Guard(nullptr, [&] {
    const qlite_allocator read = ReadStruct(allocator, qlite_allocator{}, "the allocator");
    Needed(read.allocate, "allocate"), Needed(read.deallocate, "deallocate");
    if (HandleTable::Get().used()) {
      throw Failure(absl::FailedPreconditionError("an allocator can be set before the first handle alone"));
    }
    Check(UseHostMemory(read));
  });
}
