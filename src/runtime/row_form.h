// How a step makes its result a few rows at a time, so that several steps can pass rows on while these are in a cache.
#ifndef QLITE_RUNTIME_ROW_FORM_H_
#define QLITE_RUNTIME_ROW_FORM_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/program.h"

namespace qlite {

// Rows [first, end) of one of several images.
struct RowRange {
  int64_t image = 0, first = 0, end = 0;
};

// The rows of an input that rows of the result depend on: result row y reads those of [y * stride - pad, y * stride -
// pad + extent) that exist.
struct RowWindow {
  int64_t stride = 1, pad = 0, extent = 1;

  bool one_to_one() const { return stride == 1 && pad == 0 && extent == 1; }
};

// Images of rows as they lie in memory, the first at `at`. Rows follow each other without gap.
struct RowImages {
  Operand at;
  int64_t images = 0, rows = 0, row_bytes = 0;

  int64_t bytes() const { return images * rows * row_bytes; }
};

struct RowForm {
  std::vector<RowImages> inputs;  // those read through the window
  RowWindow window;
  RowImages output;
  // Ranges begin at a multiple of it, and end at one or at the last row.
  int64_t multiple = 1;
  int64_t constant_bytes = 0;  // weights, which are read again for every range
  double cost = 0;             // as for Frame::ParallelFor
  // Of a range of at most so many rows.
  std::function<int64_t(int64_t rows)> workspace_bytes;
  // Makes a range, on one thread. Of the images in the frame only the rows that are read and made need exist.
  std::function<void(const Frame& frame, const RowRange& range, int worker)> run;
};

}  // namespace qlite

#endif  // QLITE_RUNTIME_ROW_FORM_H_
