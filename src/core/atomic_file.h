// Files that are either written completely or not at all.
#ifndef QLITE_CORE_ATOMIC_FILE_H_
#define QLITE_CORE_ATOMIC_FILE_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/byte_sink.h"

namespace qlite {

// Looks at the finished temporary file before it takes its name; an error keeps it from doing so.
using FileCheck = std::function<absl::Status(const std::string& temporary_path)>;

// Writes `bytes` to a temporary file in the folder of `path`, flushes it to the disk, runs `check` where there is one,
// and renames it to `path`, replacing a regular file of that name. On any error `path` is what it was and the temporary
// file is gone. Errors name the path; those of `check` are passed on as they are. kInvalidArgument where `path` names
// something that is not a regular file.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes, const FileCheck& check = {});

// The same of bytes that `fill` appends piece by piece; its errors are passed on as they are.
using FileFill = absl::FunctionRef<absl::Status(ByteSink& file)>;
absl::Status WriteFileAtomically(const std::string& path, FileFill fill, const FileCheck& check = {});

}  // namespace qlite

#endif  // QLITE_CORE_ATOMIC_FILE_H_
