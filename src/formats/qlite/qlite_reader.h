// Reads the native file format.
#ifndef QLITE_FORMATS_QLITE_QLITE_READER_H_
#define QLITE_FORMATS_QLITE_QLITE_READER_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kernels/isa.h"
#include "qlite/context.h"
#include "qlite/graph.h"
#include "qlite/tensor.h"

namespace qlite {

struct QliteReadOptions {
  Limits limits;
  // Reads the whole file once. Off for fuzzing alone, which would not get past it.
  bool verify_checksum = true;
  // Threads to decode constants on; null: the calling one.
  Executor* executor = nullptr;
  // The instruction set to decode with; the result is the same.
  kernels::Isa isa = kernels::Isa::kGeneric;
};

// Whether the bytes begin like a .qlite file of any version.
bool LooksLikeQlite(std::string_view bytes);

// The graph of a .qlite file, validated. Constants point into `file`, whose owner they keep, packed integers too until
// they are asked for; other encoded ones are decoded into memory of their own, at most kMaxWeightExpansion times the
// file's data. `path` stands in messages.
// kInvalidArgument: not such a file, cut short, damaged or inconsistent (says what and where); kUnimplemented: another
// version; kResourceExhausted: a limit. Thread-safe.
absl::StatusOr<Graph> ReadQlite(const Buffer& file, const std::string& path, const QliteReadOptions& options = {});

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_QLITE_READER_H_
