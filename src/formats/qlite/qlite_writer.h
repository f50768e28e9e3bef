// Writes the native file format.
#ifndef QLITE_FORMATS_QLITE_QLITE_WRITER_H_
#define QLITE_FORMATS_QLITE_QLITE_WRITER_H_

#include <string>

#include "absl/status/statusor.h"
#include "qlite/graph.h"

namespace qlite {

// The bytes of the .qlite file of a valid graph; float, integer and mixed graphs alike. Equal constants
// are stored once, wherever they lie in memory. Equal graphs give equal bytes. kResourceExhausted where the structure
// (everything but the constants) would pass 1 GB.
absl::StatusOr<std::string> WriteQlite(const Graph& graph);

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_QLITE_WRITER_H_
