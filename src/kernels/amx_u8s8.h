// The int8 product on a matrix unit, Intel's AMX: one instruction multiplies a tile of 16 rows of 64 bytes of input
// with one of 64 x 16 weights, eight times what the vector dot product does in the time. Sums are exact int32 as
// everywhere. Included by *.isa.cc alone.
//
// The weights are packed as for the register tile (kernels/tile_u8s8.h): 16 steps of a vector of columns are a tile of
// weights as they lie. A run is cut into chunks of at most 16 steps. The rows of an input tile must be equally far
// apart, which is why the rows of a product come as a grid here; a tile never spans two lines.
#ifndef QLITE_KERNELS_AMX_U8S8_H_
#define QLITE_KERNELS_AMX_U8S8_H_

#include <cstdint>

#include "kernels/tile_u8s8.h"

namespace qlite::kernels::QLITE_ISA::u8 {

#if QLITE_ISA_amxint8
inline constexpr bool kHasMatrixUnit = true;
#else
inline constexpr bool kHasMatrixUnit = false;
#endif

// The rows of a product, as the pixels of an image. In the output they lie behind each other.
struct RowGrid {
  int64_t lines;
  int64_t width;       // rows in a line
  int64_t line_pitch;  // of the input, elements
  int64_t row_pitch;
};

// A range of panels for all rows of a grid. Input and output are those of the grid's first row, `output_at` elements
// into whichever of the outputs there is.
struct MatrixProduct {
  const void* packed;
  PackedMatrix matrix;
  Reduction reduction;
  Epilogue epilogue;
  const OutputMap* map;
  RowGrid rows;
  const DotInput* input;
  const TileRun* runs;
  int64_t first_panel;
  int64_t last_panel;
  uint8_t* output;
  float* output_float;
  int64_t output_at;
  int64_t output_stride;
};

// The matrix unit of the calling thread. Its state is empty again when this ends: threads are the host's, and as long
// as there is state the operating system saves it with every switch between threads.
class MatrixUnit {
 public:
  static constexpr int64_t kTileRows = 16;
  // Rows of a block of output, which shares what it loads.
  static constexpr int64_t kBlockRows = 2 * kTileRows;

  // Whether it is faster than the register tile, for lines of `width` rows.
  static bool Pays(int64_t width, const Reduction& reduction) {
    if constexpr (kHasMatrixUnit) {
      return IsFaster(width, reduction);
    } else {
      return false;
    }
  }

  MatrixUnit() = default;
  MatrixUnit(const MatrixUnit&) = delete;
  MatrixUnit& operator=(const MatrixUnit&) = delete;
  ~MatrixUnit() {
    if constexpr (kHasMatrixUnit) Release();
  }

  void Run(const MatrixProduct& product);

 private:
  static bool IsFaster(int64_t width, const Reduction& reduction);
  void Release();
  void Configure(int64_t rows, int64_t chunk_steps);

  int64_t rows_ = 0;  // of a tile; 0: there is no state
  int64_t chunk_steps_ = 0;
};

}  // namespace qlite::kernels::QLITE_ISA::u8

#endif  // QLITE_KERNELS_AMX_U8S8_H_
