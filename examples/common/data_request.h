// What the section [data_preprocess_param] asks for: which samples, and how they are prepared.
#ifndef QLITE_EXAMPLES_COMMON_DATA_REQUEST_H_
#define QLITE_EXAMPLES_COMMON_DATA_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ini_file.h"
#include "qlite/context.h"
#include "qlite/data_set.h"

namespace qlite::cli {

struct DataRequest {
  enum class Kind { kUnset, kImages, kRaw };

  Kind kind = Kind::kUnset;
  // Model input and folder, in the order written. An empty input name (older config files) means "by position".
  std::vector<std::pair<std::string, std::string>> folders;
  int64_t count = 0;           // 0: every file
  bool fewer_allowed = false;  // `count` bounds the number of raw samples and need not be reached
  ImageOptions image;
};

// Reads the section into `request`; entries are checked one by one and together. Errors name `path` and line.
absl::Status ReadDataSection(const IniSection& section, const std::string& path, DataRequest& request);

// Opens the folders for the model's inputs. Names that are not inputs, inputs without a folder, a missing input_type or
// count are errors that say what to write.
absl::StatusOr<std::unique_ptr<DataSet>> OpenDataRequest(const DataRequest& request,
                                                         const std::vector<InputSpec>& inputs, const Limits& limits);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_DATA_REQUEST_H_
