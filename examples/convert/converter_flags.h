// The converter's command line: the flags of both generations of the reference, and our own.
#ifndef QLITE_EXAMPLES_CONVERT_CONVERTER_FLAGS_H_
#define QLITE_EXAMPLES_CONVERT_CONVERTER_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "convert/convert_request.h"

namespace qlite::cli {

struct ConverterCommand {
  bool help = false;
  std::string usage;
  ConvertRequest request;
};

// Reads flags and configuration file. The request is complete and consistent, or the status says which flag or key is
// wrong. A flag whose feature does not exist yet is refused by name unless it has its default.
absl::StatusOr<ConverterCommand> ReadConverterCommand(int argc, const char* const* argv);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_CONVERTER_FLAGS_H_
