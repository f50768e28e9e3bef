// Inputs for runs that compare two forms of a network, where there are no samples.
#ifndef QLITE_CORE_RANDOM_INPUT_H_
#define QLITE_CORE_RANDOM_INPUT_H_

#include <cstdint>
#include <random>

#include "qlite/tensor.h"

namespace qlite {

// Fills a float32 input with numbers uniform in [-1, 1), made of the generator's bits alone, since the standard
// distributions differ between libraries; any other with zeros, which indices and shapes always allow.
inline void FillRandom(std::mt19937& generator, const MutableTensorView& input) {
  if (input.type == ElementType::kFloat32) {
    for (float& x : input.as<float>()) x = static_cast<float>(generator() >> 8) * 0x1p-23f - 1.0f;
  } else {
    for (uint8_t& x : input.as<uint8_t>()) x = 0;
  }
}

}  // namespace qlite

#endif  // QLITE_CORE_RANDOM_INPUT_H_
