// One conversion: read, simplify, quantize, export, and an account of it.
#ifndef QLITE_EXAMPLES_CONVERT_CONVERT_H_
#define QLITE_EXAMPLES_CONVERT_CONVERT_H_

#include "absl/status/status.h"
#include "convert/convert_request.h"

namespace qlite::cli {

// Prints what was done on stdout, warnings and notices on stderr.
absl::Status Convert(const ConvertRequest& request);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_CONVERT_H_
