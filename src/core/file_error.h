// Errors of the operating system as status, naming the file and what was tried.
#ifndef QLITE_CORE_FILE_ERROR_H_
#define QLITE_CORE_FILE_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite {

// "cannot <what> '<path>': No such file or directory", with the code that belongs to the error number.
inline absl::Status FileError(int error_number, std::string_view what, const std::string& path) {
  return AtFile(absl::ErrnoToStatus(error_number, StrCat("cannot ", what, " '", path, "'")), path);
}

}  // namespace qlite

#endif  // QLITE_CORE_FILE_ERROR_H_
