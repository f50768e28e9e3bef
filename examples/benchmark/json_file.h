// Where a report in JSON goes.
#ifndef QLITE_EXAMPLES_BENCHMARK_JSON_FILE_H_
#define QLITE_EXAMPLES_BENCHMARK_JSON_FILE_H_

#include <cstdio>
#include <string>

#include "absl/status/status.h"

namespace qlite::cli {

// Opened before the work, which may take long, so that a place that cannot be written is told at once. What is written
// goes to `path`.part, which takes the name of `path` when it is whole and is removed otherwise; what is no regular
// file is written as it is.
class JsonFile {
 public:
  JsonFile() = default;
  JsonFile(const JsonFile&) = delete;
  JsonFile& operator=(const JsonFile&) = delete;
  ~JsonFile();

  // "-": the standard output, which then has this alone: what is printed from now on goes to standard error. Errors
  // name the path.
  absl::Status Open(const std::string& path);
  // The text and the end of a line. Once, after Open.
  absl::Status Write(const std::string& text);

 private:
  absl::Status Failed() const;  // by errno

  std::string path_;
  std::string part_;  // the file that must go if it is not renamed; empty for none
  std::FILE* stream_ = nullptr;
};

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_BENCHMARK_JSON_FILE_H_
