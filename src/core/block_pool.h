// Memory for many blocks that are read together and live about as long as one another.
#ifndef QLITE_CORE_BLOCK_POOL_H_
#define QLITE_CORE_BLOCK_POOL_H_

#include <cstddef>
#include <memory>

namespace qlite {

// Lays blocks side by side, so that a network's weights fill few huge pages: one by one most are too small for any.
// Not thread safe.
class BlockPool {
 public:
  // `expected`: about the bytes of all blocks. Where these would not fill half a huge page, blocks are allocated one by
  // one.
  explicit BlockPool(size_t expected);

  // Zeroed and aligned as by AllocateAligned, and throws like it. The block lives as long as the pointer, whatever
  // becomes of the pool; its memory is freed with that of its neighbours.
  std::shared_ptr<std::byte> Allocate(size_t bytes);

 private:
  size_t chunk_bytes_;                // 0: no chunks
  std::shared_ptr<std::byte> chunk_;  // the latest one
  size_t used_ = 0;                   // of it
};

}  // namespace qlite

#endif  // QLITE_CORE_BLOCK_POOL_H_
