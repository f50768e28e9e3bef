#include "core/block_pool.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "core/aligned_memory.h"

namespace qlite {
namespace {

struct Block {
  std::shared_ptr<std::byte> memory;
  size_t bytes;
};

// Of sizes from none to more than a chunk.
std::vector<Block> Fill(BlockPool& pool) {
  std::vector<Block> blocks;
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{64}, size_t{65}, size_t{100'000}, size_t{1} << 20, size_t{3} << 20,
        size_t{5} << 20, size_t{7}, size_t{1'500'000}, size_t{1'500'000}, size_t{300'000}}) {
    blocks.push_back({pool.Allocate(bytes), bytes});
  }
  return blocks;
}

TEST_CASE("Blocks of a pool are aligned, zeroed and apart") {
  BlockPool pool(GENERATE(size_t{0}, size_t{1'000'000}, size_t{2} << 20, size_t{9} << 20, SIZE_MAX));
  const std::vector<Block> blocks = Fill(pool);
  unsigned char mark = 0;
  for (const Block& block : blocks) {
    CHECK(reinterpret_cast<uintptr_t>(block.memory.get()) % kMemoryAlignment == 0);
    const auto zero = [](std::byte b) { return b == std::byte{0}; };
    CHECK(std::all_of(block.memory.get(), block.memory.get() + block.bytes, zero));
    std::memset(block.memory.get(), ++mark, block.bytes);
  }
  mark = 0;
  for (const Block& block : blocks) {
    ++mark;
    const auto marked = [&](std::byte b) { return b == std::byte{mark}; };
    CHECK(std::all_of(block.memory.get(), block.memory.get() + block.bytes, marked));
  }
}

TEST_CASE("Small blocks of a large pool are neighbours, and those of a small one are on their own") {
  BlockPool large(size_t{8} << 20);
  const auto first = large.Allocate(1000);
  const auto second = large.Allocate(1000);
  CHECK(second.get() == first.get() + 1024);
  CHECK(reinterpret_cast<uintptr_t>(first.get()) % kHugePage == 0);
  CHECK(first.use_count() > 1);

  BlockPool small(1000);
  CHECK(small.Allocate(1000).use_count() == 1);
}

TEST_CASE("A block outlives its pool and its neighbours") {
  std::shared_ptr<std::byte> last;
  {
    BlockPool pool(size_t{4} << 20);
    for (int i = 0; i < 10; ++i) last = pool.Allocate(200'000);
  }
  std::memset(last.get(), 1, 200'000);
  CHECK(last.use_count() == 1);
}

TEST_CASE("A pool has no memory for a block that nothing could hold") {
  BlockPool pool(size_t{4} << 20);
  CHECK_THROWS_AS(pool.Allocate(SIZE_MAX), std::bad_alloc);
  CHECK(pool.Allocate(1) != nullptr);
}

}  // namespace
}  // namespace qlite
