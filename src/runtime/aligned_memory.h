// Zeroed heap memory aligned for the kernels.
#ifndef QLITE_RUNTIME_ALIGNED_MEMORY_H_
#define QLITE_RUNTIME_ALIGNED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace qlite {

inline constexpr size_t kMemoryAlignment = 64;

inline constexpr size_t RoundUpToAlignment(size_t bytes) {
  return (bytes + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
}

// Throws std::bad_alloc. Large blocks come untouched from the operating system, so that memory that is
// never used costs nothing.
inline std::shared_ptr<std::byte> AllocateAligned(size_t bytes) {
  constexpr size_t kSpare = kMemoryAlignment;
  if (bytes > SIZE_MAX - kSpare) throw std::bad_alloc();
  void* block = std::calloc(bytes + kSpare, 1);
  if (block == nullptr) throw std::bad_alloc();
  void* aligned = block;
  size_t space = bytes + kSpare;
  std::align(kMemoryAlignment, bytes, aligned, space);
  return {static_cast<std::byte*>(aligned), [block](std::byte*) { std::free(block); }};
}

}  // namespace qlite

#endif  // QLITE_RUNTIME_ALIGNED_MEMORY_H_
