#include "calib/fingerprint.h"
#include "core/mapped_file.h"
#include "qlite/calibrator.h"

namespace qlite {

uint64_t GraphFingerprint(const Graph& graph) {
  calib::Fingerprinter fingerprint;
  // The dump names every operator, attribute, input and output; constants' contents follow in the order of use.
  fingerprint.AddBytes(graph.Dump());
  for (NodeId id : graph.TopologicalOrder()) {
    for (ValueId input : graph.node(id).inputs) {
      if (!input.valid() || !graph.value(input).is_constant()) continue;
      const Tensor& constant = *graph.value(input).constant;
      fingerprint.AddBytes(ElementTypeName(constant.type()));
      fingerprint.AddValues(std::span<const int64_t>(constant.dims()));
      fingerprint.AddBuffer(constant.buffer());
      ReleasePages(constant);  // by the next time it is read there may be little room
    }
  }
  return fingerprint.Value();
}

}  // namespace qlite
