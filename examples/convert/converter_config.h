// The converter's configuration files: the sectioned form, and the older flat one.
#ifndef QLITE_EXAMPLES_CONVERT_CONVERTER_CONFIG_H_
#define QLITE_EXAMPLES_CONVERT_CONVERTER_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "convert/convert_request.h"

namespace qlite::cli {

// Reads sections ([common_quant_param], [full_quant_param], [data_preprocess_param], ...). An unknown section or key is
// an error with the nearest name; a key whose feature does not exist yet is refused by name; sections that have nothing
// to do with quantization are accepted with a notice.
absl::Status ApplySectionedConfig(std::string_view text, const std::string& path, ConvertRequest& request);

// Reads the flat "key=value" file that belongs to --quantType=PostTraining, and to WeightQuant for its mixed=true;
// request.quant_type says which.
absl::Status ApplyFlatConfig(std::string_view text, const std::string& path, ConvertRequest& request);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_CONVERT_CONVERTER_CONFIG_H_
