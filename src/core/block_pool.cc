#include "core/block_pool.h"

#include <algorithm>

#include "core/aligned_memory.h"

namespace qlite {
namespace {

// What is left of a chunk is lost, a huge page of it in memory at most: chunks are large. But the expectation may be
// far too high, and a host that lends the memory may have little.
constexpr size_t kLargestChunk = 16 * kHugePage;

size_t ChunkBytes(size_t expected) {
  if (expected < kHugePage / 2) return 0;
  return std::min((expected - 1) / kHugePage + 1, kLargestChunk / kHugePage) * kHugePage;
}

}  // namespace

BlockPool::BlockPool(size_t expected) : chunk_bytes_(ChunkBytes(expected)) {}

std::shared_ptr<std::byte> BlockPool::Allocate(size_t bytes) {
  if (bytes > chunk_bytes_) return AllocateAligned(bytes);
  const size_t needed = RoundUpToAlignment(bytes);
  if (chunk_ == nullptr || needed > chunk_bytes_ - used_) {
    // One that fills most of a chunk would leave little to others.
    if (needed > chunk_bytes_ / 2) return AllocateAligned(bytes);
    chunk_ = AllocateAligned(chunk_bytes_);
    used_ = 0;
  }
  std::shared_ptr<std::byte> block(chunk_, chunk_.get() + used_);
  used_ += needed;
  return block;
}

}  // namespace qlite
