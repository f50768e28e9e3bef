// Integer tensors made at random, with parameters that fit them.
#ifndef QLITE_TESTS_FORMATS_RANDOM_WEIGHTS_H_
#define QLITE_TESTS_FORMATS_RANDOM_WEIGHTS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "formats/random_graph.h"
#include "qlite/quant_params.h"
#include "qlite/tensor.h"

namespace qlite::testing {

// Parameters of `bits` bits for a whole tensor of these extents (axis -1), for every index of an axis, or for blocks.
inline QuantParams RandomParams(RandomGraph& random, const std::vector<int64_t>& dims, int bits, int64_t axis,
                                int64_t block_size = 0) {
  QuantParams quant;
  quant.bits = bits;
  quant.axis = axis;
  quant.block_size = block_size;
  int64_t count = axis < 0 ? 1 : block_size == 0 ? dims[static_cast<size_t>(axis)] : 1;
  for (size_t i = 0; block_size > 0 && i < dims.size(); ++i) {
    count *= static_cast<int64_t>(i) == axis ? (dims[i] + block_size - 1) / block_size : dims[i];
  }
  for (int64_t i = 0; i < count; ++i) {
    quant.scales.push_back(static_cast<float>(random.Number(1, 1000)) / 4096.0f);
    quant.zero_points.push_back(static_cast<int32_t>(random.Number(quant.qmin(), quant.qmax())));
  }
  return quant;
}

enum class Spread {
  kUniform,
  kPeaked,    // about normal, in the middle of the range
  kNarrow,    // likewise, a few values
  kSparse,    // nearly all 0
  kConstant,  // one value
};
inline constexpr Spread kSpreads[] = {Spread::kUniform, Spread::kPeaked, Spread::kNarrow, Spread::kSparse,
                                      Spread::kConstant};

inline int64_t RandomInteger(RandomGraph& random, int bits, Spread spread) {
  const int64_t low = -(int64_t{1} << (bits - 1)), high = -low - 1;
  int64_t sum = 0;
  switch (spread) {
    case Spread::kUniform:
      return random.Number(low, high);
    case Spread::kPeaked:
    case Spread::kNarrow:
      for (int i = 0; i < 12; ++i) sum += random.Number(low, high);
      return std::clamp(sum / (spread == Spread::kPeaked ? 9 : 80), low, high);
    case Spread::kSparse:
      return random.Number(0, 19) == 0 ? random.Number(low, high) : 0;
    case Spread::kConstant:
      break;
  }
  return high / 2;
}

template <class T>
Tensor RandomWeightsOf(RandomGraph& random, const std::vector<int64_t>& dims, int bits, Spread spread) {
  std::vector<T> values(static_cast<size_t>(*ElementCount(dims)));
  for (T& value : values) value = static_cast<T>(RandomInteger(random, bits, spread));
  return Tensor::Of<T>(dims, std::move(values));
}

// int8 elements for up to 8 bits, int16 for more.
inline Tensor RandomWeights(RandomGraph& random, const std::vector<int64_t>& dims, int bits, Spread spread) {
  return bits <= 8 ? RandomWeightsOf<int8_t>(random, dims, bits, spread)
                   : RandomWeightsOf<int16_t>(random, dims, bits, spread);
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_FORMATS_RANDOM_WEIGHTS_H_
