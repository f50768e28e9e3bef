// Zeroed heap memory aligned for the kernels.
#ifndef QLITE_CORE_ALIGNED_MEMORY_H_
#define QLITE_CORE_ALIGNED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace qlite {

inline constexpr size_t kMemoryAlignment = 64;

inline constexpr size_t RoundUpToAlignment(size_t bytes) {
  return (bytes + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
}

// Blocks from this size on are aligned to it and asked for in pages of it: a network's weights and activations span
// more small pages than a processor remembers translations of.
inline constexpr size_t kHugePage = size_t{2} << 20;

// Throws std::bad_alloc. Large blocks come untouched from the operating system, so that memory that is
// never used costs nothing.
inline std::shared_ptr<std::byte> AllocateAligned(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kMemoryAlignment;
  if (bytes > SIZE_MAX - alignment) throw std::bad_alloc();
  void* block = std::calloc(bytes + alignment, 1);
  if (block == nullptr) throw std::bad_alloc();
  void* aligned = block;
  size_t space = bytes + alignment;
  std::align(alignment, bytes, aligned, space);
#if defined(__linux__)
  // A wish: where it is not granted the memory is as good.
  if (alignment == kHugePage) madvise(aligned, bytes, MADV_HUGEPAGE);
#endif
  return {static_cast<std::byte*>(aligned), [block](std::byte*) { std::free(block); }};
}

}  // namespace qlite

#endif  // QLITE_CORE_ALIGNED_MEMORY_H_
