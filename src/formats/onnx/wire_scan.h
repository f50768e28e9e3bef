// A first walk over the bytes of an ONNX file, before anything is allocated for them.
#ifndef QLITE_FORMATS_ONNX_WIRE_SCAN_H_
#define QLITE_FORMATS_ONNX_WIRE_SCAN_H_

#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "qlite/context.h"

namespace qlite::onnx {

// Checks that `bytes` are the wire form of a ModelProto whose fields lie inside their messages, are not nested deeper
// than 64 messages, number no more nodes and tensors than `limits` allows, and would not take many times the file's
// size in memory (a message of two bytes parses to over a hundred). The error says at which byte of the file the first
// fault lies, and in which message: a truncated file is told from one that never was ONNX. Linear time, no memory.
absl::Status ScanModel(std::span<const std::byte> bytes, const Limits& limits);

}  // namespace qlite::onnx

#endif  // QLITE_FORMATS_ONNX_WIRE_SCAN_H_
