// The grids that AsymmetricParams and SymmetricParams choose, without the memory of a QuantParams: for weights, which
// have many.
#ifndef QLITE_CORE_QUANT_GRID_H_
#define QLITE_CORE_QUANT_GRID_H_

#include <cstdint>

namespace qlite {

// real = scale * (q - zero_point).
struct QuantGrid {
  float scale = 1;
  int32_t zero_point = 0;
};

// As AsymmetricParams and SymmetricParams (qlite/quant_params.h), with the same bounds on `bits`.
QuantGrid AsymmetricGrid(float min, float max, int bits);
QuantGrid SymmetricGrid(float max_abs, int bits);

}  // namespace qlite

#endif  // QLITE_CORE_QUANT_GRID_H_
