// Small pieces of text handling that the programs share.
#ifndef QLITE_EXAMPLES_COMMON_TEXT_H_
#define QLITE_EXAMPLES_COMMON_TEXT_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace qlite::cli {

// The parts one after the other.
std::string Join(std::initializer_list<std::string_view> parts);
// The error of an invalid argument, with the parts as its message.
absl::Status Refuse(std::initializer_list<std::string_view> parts);
// Without blanks, tabs and line ends at both ends.
std::string_view Trim(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);
std::string ToLower(std::string_view text);
std::string Hex(uint64_t number);  // 16 digits

// The whole text as a base-10 integer, a finite decimal number, or "true"/"false" in any letter case; nothing
// otherwise.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<double> ParseNumber(std::string_view text);
std::optional<bool> ParseBool(std::string_view text);

// " (did you mean 'x'?)" for the nearest of the known names, or empty.
std::string Suggestion(std::string_view wanted, const std::vector<std::string>& known);

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_TEXT_H_
