#include "runtime/memory_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

namespace qlite {
namespace {

std::vector<BufferLife> RandomLives(std::mt19937& rng) {
  std::vector<BufferLife> lives(1 + rng() % 60);
  for (BufferLife& life : lives) {
    life.bytes = static_cast<int64_t>(rng() % (rng() % 2 == 0 ? 300 : 100000));
    life.first = static_cast<int32_t>(rng() % 40);
    life.last = life.first + static_cast<int32_t>(rng() % 8);
  }
  return lives;
}

int64_t RoundedUp(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The most that is alive at one step.
int64_t LeastBytes(const std::vector<BufferLife>& lives) {
  int64_t most = 0;
  for (int32_t step = 0; step < 60; ++step) {
    int64_t alive = 0;
    for (const BufferLife& life : lives) alive += life.first <= step && step <= life.last ? RoundedUp(life.bytes) : 0;
    most = std::max(most, alive);
  }
  return most;
}

TEST_CASE("buffers alive at one time never overlap", "[runtime]") {
  std::mt19937 rng(1);
  for (int round = 0; round < 300; ++round) {
    const auto lives = RandomLives(rng);
    const MemoryPlan plan = PlanMemory(lives);
    int64_t sum = 0;
    bool fine = true;
    for (size_t a = 0; a < lives.size(); ++a) {
      sum += RoundedUp(lives[a].bytes);
      fine = fine && plan.offsets[a] % 64 == 0 && plan.offsets[a] + lives[a].bytes <= plan.bytes;
      for (size_t b = 0; b < a; ++b) {
        const bool same_time = lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
        const bool apart =
            plan.offsets[a] + lives[a].bytes <= plan.offsets[b] || plan.offsets[b] + lives[b].bytes <= plan.offsets[a];
        fine = fine && (!same_time || apart || lives[a].bytes == 0 || lives[b].bytes == 0);
      }
    }
    CHECK(fine);
    CHECK(plan.bytes >= LeastBytes(lives));
    CHECK(plan.bytes <= sum);
    CHECK(PlanMemory(lives).offsets == plan.offsets);
  }
}

TEST_CASE("a chain of buffers needs two of them", "[runtime]") {
  std::vector<BufferLife> lives;
  for (int32_t i = 0; i < 20; ++i) lives.push_back({6400, i, i + 1});
  CHECK(PlanMemory(lives).bytes == 2 * 6400);
}

TEST_CASE("no buffers need no memory", "[runtime]") { CHECK(PlanMemory({}).bytes == 0); }

}  // namespace
}  // namespace qlite
