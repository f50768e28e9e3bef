// The converter's configuration files: sections of "key = value" lines.
#ifndef QLITE_EXAMPLES_COMMON_INI_FILE_H_
#define QLITE_EXAMPLES_COMMON_INI_FILE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace qlite::cli {

struct IniEntry {
  std::string key, value;
  int line = 0;  // from 1, for messages
};

struct IniSection {
  std::string name;
  int line = 0;
  std::vector<IniEntry> entries;  // a key that stands twice is there once, with the last value
};

// The grammar: blanks at line ends are stripped; a line whose first column is '#' is a comment; "[name]" starts a
// section and a section that stands twice is continued; any other line splits at '=' into exactly two parts; every '"'
// is deleted. Keys before any section make the section "" (the whole file of the older, flat form). A line of more than
// 9999 characters, a section without a name or a NUL byte is an error. Errors name `path` and line.
absl::StatusOr<std::vector<IniSection>> ParseIni(std::string_view text, std::string_view path);

// The text of a configuration file of at most 1 MB.
absl::StatusOr<std::string> ReadConfigText(const std::string& path);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_INI_FILE_H_
