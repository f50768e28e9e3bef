// A wrong form that PyTorch's ONNX exporter writes, read as what it means.
#ifndef QLITE_FORMATS_ONNX_REPEAT_INTERLEAVE_H_
#define QLITE_FORMATS_ONNX_REPEAT_INTERLEAVE_H_

#include "formats/onnx/node_reader.h"

namespace qlite::onnx {

// torch.repeat_interleave along `axis`, of a tensor with unknown extents, becomes
//
//   x [.., a, t, ..] -> Unsqueeze (axis + 1) -> Expand -> [.., a, repeats, t, ..] -> Reshape to [0, .., -1, 0, ..]
//
// where a 0 copies the extent of the same position of the *expanded* value, which behind the axis is one off: `repeats`
// for t. No runtime can execute what follows. In a file that PyTorch wrote, this reads such a Reshape as the extents of
// x with those of the axis merged, notes it in the graph's metadata ("repaired"), and returns true; false for any other
// Reshape.
bool ImportRepeatInterleave(NodeReader& node);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_REPEAT_INTERLEAVE_H_
