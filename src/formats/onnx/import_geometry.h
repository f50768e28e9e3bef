// The window attributes that convolutions and pools share.
#ifndef QLITE_FORMATS_ONNX_IMPORT_GEOMETRY_H_
#define QLITE_FORMATS_ONNX_IMPORT_GEOMETRY_H_

#include "formats/onnx/node_reader.h"

namespace qlite::onnx {

AutoPad ReadAutoPad(NodeReader& node);

template <class Attrs>
void ReadWindow(NodeReader& node, Attrs& attrs) {
  attrs.kernel_shape = node.Ints("kernel_shape");
  attrs.strides = node.Ints("strides");
  attrs.dilations = node.Ints("dilations");
  attrs.pads = node.Ints("pads");
  attrs.auto_pad = ReadAutoPad(node);
}

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_IMPORT_GEOMETRY_H_
