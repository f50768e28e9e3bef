#include "passes/constant_sharing.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "core/mapped_file.h"

namespace qlite {
namespace {

// FNV-1a over 64-bit words: only finds candidates, which are then compared.
uint64_t Hash(const Tensor& tensor) {
  constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&](uint64_t word) { hash = (hash ^ word) * kPrime; };
  mix(static_cast<uint64_t>(tensor.type()));
  for (const int64_t extent : tensor.dims()) mix(static_cast<uint64_t>(extent));
  ForEachPiece(tensor.buffer(), [&](std::span<const std::byte> piece) {
    for (size_t at = 0; at < piece.size(); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, piece.data() + at, std::min(sizeof word, piece.size() - at));
      mix(word);
    }
  });
  return hash;
}

}  // namespace

absl::StatusOr<int> ShareConstants(Graph& graph) {
  std::map<uint64_t, std::vector<ValueId>> seen;
  int shared = 0;
  for (size_t i = 0; i < graph.value_slots(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (!graph.alive(id) || !graph.value(id).constant || graph.IsOutput(id) || graph.Consumers(id).empty()) continue;
    const Value& value = graph.value(id);
    std::vector<ValueId>& candidates = seen[Hash(*value.constant)];
    bool found = false;
    for (const ValueId other : candidates) {
      if (*graph.value(other).constant != *value.constant || graph.value(other).quant != value.quant) continue;
      graph.ReplaceUses(id, other);
      found = true;
      break;
    }
    if (found) ++shared;
    if (!found) candidates.push_back(id);
  }
  graph.RemoveUnusedValues();
  return shared;
}

}  // namespace qlite
