// Writes the native file format.
#ifndef QLITE_FORMATS_QLITE_QLITE_WRITER_H_
#define QLITE_FORMATS_QLITE_QLITE_WRITER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/byte_sink.h"
#include "qlite/context.h"
#include "qlite/graph.h"

namespace qlite {

struct QliteWriteOptions {
  // Integer constants with quantization parameters take the form with the fewest bytes; otherwise those whose bits do
  // not fill their element type are packed.
  bool smallest_weights = false;
  // Threads to encode constants on; null: the calling one. The bytes do not depend on it.
  Executor* executor = nullptr;
};

// The bytes of the .qlite file of a valid graph; float, integer and mixed graphs alike. Equal constants
// are stored once, wherever they lie in memory. Equal graphs give equal bytes. kResourceExhausted where the structure
// (everything but the constants) would pass 1 GB.
absl::StatusOr<std::string> WriteQlite(const Graph& graph, const QliteWriteOptions& options = {});

// The same file, ready to be written: constants that are stored as they are are not copied.
class QliteFile {
 public:
  static absl::StatusOr<QliteFile> Make(const Graph& graph, const QliteWriteOptions& options = {});
  QliteFile(QliteFile&& other) noexcept;
  ~QliteFile();

  // Fails only where the sink does.
  absl::Status WriteTo(ByteSink& sink) const;

 private:
  struct Parts;
  explicit QliteFile(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace qlite

#endif  // QLITE_FORMATS_QLITE_QLITE_WRITER_H_
