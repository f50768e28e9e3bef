// Errors of the operating system as status, naming the file and what was tried.
#ifndef QLITE_CORE_FILE_ERROR_H_
#define QLITE_CORE_FILE_ERROR_H_

#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "core/error_site.h"
#include "core/str_cat.h"

namespace qlite {

// As absl::ErrnoToStatus, which keeps the texts of all errors for ever: a library that is closed must leave nothing.
inline absl::Status SystemError(int error_number, std::string_view message) {
  return absl::Status(absl::ErrnoToStatusCode(error_number),
                      StrCat(message, ": ", std::generic_category().message(error_number)));
}

// "cannot <what> '<path>': No such file or directory", with the code that belongs to the error number.
inline absl::Status FileError(int error_number, std::string_view what, const std::string& path) {
  return AtFile(SystemError(error_number, StrCat("cannot ", what, " '", path, "'")), path);
}

}  // namespace qlite

#endif  // QLITE_CORE_FILE_ERROR_H_
