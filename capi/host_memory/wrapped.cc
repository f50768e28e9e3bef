// The memory functions of the C library as all code inside the self-contained library sees them, that of third parties
// and of the C++ runtime (operator new, exceptions) included: the linker redirects every call of malloc() that it links
// into the library to __wrap_malloc() and gives the C library's function the name __real_malloc(), and so on (--wrap).
//
// Each block begins with a header that says whose it is, so that it goes back there, whatever was set meanwhile.
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "capi/host_memory/host_memory.h"

extern "C" {
void* __real_malloc(size_t size);
void* __real_calloc(size_t count, size_t size);
void* __real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void* block);
char* __real_realpath(const char* path, char* resolved);
}

namespace __gnu_cxx {
void __freeres();  // of the C++ runtime: gives up the memory that it keeps for exceptions where there is no other
}

namespace qlite::capi {
namespace {

struct Header {
  size_t size;      // of the whole, as it was asked for
  uint32_t offset;  // from its beginning to the block that callers know
  bool of_host;
};

constexpr size_t kAlignment = 16;  // what malloc promises
static_assert(sizeof(Header) <= kAlignment && alignof(std::max_align_t) <= kAlignment);

constinit std::mutex host_mutex;
constinit qlite_allocator host = {};             // set once
constinit std::atomic<bool> host_is_set{false};  // after it was

Header* HeaderOf(void* block) { return reinterpret_cast<Header*>(static_cast<char*>(block) - sizeof(Header)); }

// `alignment` is a power of two, at least kAlignment.
void* Ask(size_t size, size_t alignment, bool of_host, bool zeroed) {
  if (of_host) return host.allocate(host.user, size, alignment);
  if (alignment > kAlignment) return __real_aligned_alloc(alignment, size);
  return zeroed ? __real_calloc(size, 1) : __real_malloc(size);
}

void* Allocate(size_t size, size_t alignment, bool zeroed = false) {
  constexpr size_t kMaxAlignment = size_t{1} << 30;
  if (alignment < kAlignment) alignment = kAlignment;
  const bool of_host = host_is_set.load(std::memory_order_acquire);
  void* base = nullptr;
  if (alignment <= kMaxAlignment && size <= PTRDIFF_MAX - 2 * alignment) {
    // The C library wants multiples of the alignment.
    size = (size + 2 * alignment - 1) / alignment * alignment;
    base = Ask(size, alignment, of_host, zeroed);
  }
  if (base == nullptr) {
    errno = ENOMEM;
    return nullptr;
  }
  void* const block = static_cast<char*>(base) + alignment;
  *HeaderOf(block) = {size, static_cast<uint32_t>(alignment), of_host};
  // The C library has memory that is zero already.
  if (zeroed && (of_host || alignment > kAlignment)) std::memset(block, 0, size - alignment);
  return block;
}

void Free(void* block) {
  if (block == nullptr) return;
  const Header header = *HeaderOf(block);
  void* const base = static_cast<char*>(block) - header.offset;
  if (header.of_host) {
    host.deallocate(host.user, base, header.size);
  } else {
    __real_free(base);
  }
}

// The last of all when the library is unloaded.
__attribute__((destructor(101))) void FreeReserve() { __gnu_cxx::__freeres(); }

bool IsPowerOfTwo(size_t number) { return number != 0 && (number & (number - 1)) == 0; }

}  // namespace

absl::Status UseHostMemory(const qlite_allocator& allocator) {
  const std::lock_guard lock(host_mutex);
  if (host_is_set) return absl::FailedPreconditionError("the library has an allocator already");
  host = allocator;
  host_is_set.store(true, std::memory_order_release);
  return absl::OkStatus();
}

}  // namespace qlite::capi

using qlite::capi::Allocate;
using qlite::capi::Free;
using qlite::capi::HeaderOf;
using qlite::capi::IsPowerOfTwo;

extern "C" {

void* __wrap_malloc(size_t size) { return Allocate(size, 0); }

void* __wrap_calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;  // which nobody has
  return Allocate(bytes, 0, /*zeroed=*/true);
}

void* __wrap_realloc(void* block, size_t size) {
  if (block == nullptr) return Allocate(size, 0);
  if (size == 0) {
    Free(block);
    return nullptr;
  }
  void* const moved = Allocate(size, 0);
  if (moved == nullptr) return nullptr;
  const size_t had = HeaderOf(block)->size - HeaderOf(block)->offset;
  std::memcpy(moved, block, had < size ? had : size);
  Free(block);
  return moved;
}

void* __wrap_memalign(size_t alignment, size_t size) {
  if (IsPowerOfTwo(alignment)) return Allocate(size, alignment);
  errno = EINVAL;
  return nullptr;
}

void* __wrap_aligned_alloc(size_t alignment, size_t size) { return __wrap_memalign(alignment, size); }

int __wrap_posix_memalign(void** block, size_t alignment, size_t size) {
  if (!IsPowerOfTwo(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* const made = Allocate(size, alignment);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

void __wrap_free(void* block) { Free(block); }

// Functions inside the C library that make a block for their caller to free.

char* __wrap_strdup(const char* text) {
  const size_t size = std::strlen(text) + 1;
  void* const copy = Allocate(size, 0);
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}

char* __wrap_realpath(const char* path, char* resolved) {
  char* const made = resolved == nullptr ? static_cast<char*>(Allocate(PATH_MAX, 0)) : nullptr;
  if (resolved == nullptr && made == nullptr) return nullptr;
  char* const found = __real_realpath(path, resolved == nullptr ? made : resolved);
  if (found == nullptr) Free(made);
  return found;
}
}
