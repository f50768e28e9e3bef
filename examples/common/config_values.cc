#include "common/config_values.h"

#include "common/text.h"

namespace qlite::cli {

absl::Status ConfigEntry::Illegal(std::string_view what) const {
  return absl::InvalidArgumentError(Join({"INPUT ILLEGAL: ", entry.key, " ", what, " (", path, ":",
                                          std::to_string(entry.line), ", found '", entry.value, "')"}));
}

absl::Status ConfigEntry::NotYet(std::string_view what) const {
  return absl::UnimplementedError(Join(
      {path, ":", std::to_string(entry.line), ": ", entry.key, "=", entry.value, ": ", what, " is not supported yet"}));
}

absl::Status ReadBool(const ConfigEntry& entry, bool& out) {
  const std::optional<bool> value = ParseBool(entry.value());
  if (!value) return entry.Illegal("should be true or false.");
  out = *value;
  return absl::OkStatus();
}

absl::Status ReadInteger(const ConfigEntry& entry, int64_t min, int64_t max, int64_t& out) {
  const std::optional<int64_t> value = ParseInteger(entry.value());
  if (!value || *value < min || *value > max) {
    return entry.Illegal(Join({"should be an integer in [", std::to_string(min), ",", std::to_string(max), "]."}));
  }
  out = *value;
  return absl::OkStatus();
}

absl::Status ReadNumbers(const ConfigEntry& entry, std::vector<float>& out) {
  const std::string_view text = entry.value();
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return entry.Illegal("should look like [a,b,c].");
  out.clear();
  for (const std::string& part : Split(text.substr(1, text.size() - 2), ',')) {
    const std::optional<double> number = ParseNumber(Trim(part));
    if (!number) return entry.Illegal("should be numbers, like [a,b,c].");
    out.push_back(static_cast<float>(*number));
  }
  return absl::OkStatus();
}

absl::Status UnknownKey(const ConfigEntry& entry, const std::vector<std::string>& known) {
  const std::string section = entry.section.empty() ? std::string("the file") : Join({"[", entry.section, "]"});
  return absl::InvalidArgumentError(
      Join({"INPUT ILLEGAL: `", entry.entry.key, "` is not supported in ", section, Suggestion(entry.entry.key, known),
            " (", entry.path, ":", std::to_string(entry.entry.line), ")"}));
}

}  // namespace qlite::cli
