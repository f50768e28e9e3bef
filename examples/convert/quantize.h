// The quantization that a request asks for, with its account and its reports.
#ifndef QLITE_EXAMPLES_CONVERT_QUANTIZE_H_
#define QLITE_EXAMPLES_CONVERT_QUANTIZE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "convert/convert_request.h"
#include "qlite/context.h"
#include "qlite/data_set.h"
#include "qlite/graph.h"

namespace qlite::cli {

// Of QuantType::kFull and kWeight. `graph` becomes the quantized one; `data` may be null where the request needs none.
// Adds to the manifest what belongs into the file. `interrupted`: set where the user stopped the search for
// ConvertRequest::max_loss, whose best result so far `graph` then is.
absl::Status QuantizeAsRequested(const Context& context, const ConvertRequest& request, const DataSet* data,
                                 Graph& graph, std::map<std::string, std::string>& manifest, bool& interrupted);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_QUANTIZE_H_
