// Memory that ends where the next page may not be touched: a kernel that reads or writes behind a buffer faults.
#ifndef QLITE_TESTS_KERNELS_GUARDED_MEMORY_H_
#define QLITE_TESTS_KERNELS_GUARDED_MEMORY_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace qlite::kernels {

template <class T>
struct GuardedAllocator {
  using value_type = T;

  GuardedAllocator() = default;
  template <class U>
  GuardedAllocator(const GuardedAllocator<U>&) {}  // NOLINT: conversions that allocators must have

  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    void* const pages =
        mmap(nullptr, Whole(bytes) + Page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    auto* const begin = static_cast<uint8_t*>(pages);
    mprotect(begin + Whole(bytes), Page(), PROT_NONE);
    return reinterpret_cast<T*>(begin + Whole(bytes) - bytes);
  }
  void deallocate(T* p, size_t count) {
    const size_t bytes = count * sizeof(T);
    munmap(reinterpret_cast<uint8_t*>(p) + bytes - Whole(bytes), Whole(bytes) + Page());
  }
  friend bool operator==(const GuardedAllocator&, const GuardedAllocator&) { return true; }

 private:
  static size_t Page() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
  static size_t Whole(size_t bytes) { return (bytes + Page() - 1) / Page() * Page(); }
};

template <class T>
using Guarded = std::vector<T, GuardedAllocator<T>>;

}  // namespace qlite::kernels

#endif  // QLITE_TESTS_KERNELS_GUARDED_MEMORY_H_
