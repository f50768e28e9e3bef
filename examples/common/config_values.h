// Values of configuration keys, checked, with errors that name file, line, key, what was found and what is allowed.
#ifndef QLITE_EXAMPLES_COMMON_CONFIG_VALUES_H_
#define QLITE_EXAMPLES_COMMON_CONFIG_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/ini_file.h"

namespace qlite::cli {

// An entry of a section of a file: what the messages need.
struct ConfigEntry {
  const std::string& path;
  const std::string& section;
  const IniEntry& entry;

  const std::string& value() const { return entry.value; }
  // "INPUT ILLEGAL: <key> <what> (file:line, found '<value>')".
  absl::Status Illegal(std::string_view what) const;
  // The feature of this key exists in the reference and not here yet.
  absl::Status NotYet(std::string_view what) const;
};

absl::Status ReadBool(const ConfigEntry& entry, bool& out);
// min <= value <= max.
absl::Status ReadInteger(const ConfigEntry& entry, int64_t min, int64_t max, int64_t& out);
// "[a,b,c]" of finite numbers.
absl::Status ReadNumbers(const ConfigEntry& entry, std::vector<float>& out);

// One of the listed words, exactly.
template <class T>
absl::Status ReadWord(const ConfigEntry& entry, const std::vector<std::pair<std::string_view, T>>& words, T& out) {
  std::string known;
  for (const auto& [word, value] : words) {
    if (entry.value() == word) {
      out = value;
      return absl::OkStatus();
    }
    if (!known.empty()) known += '|';
    known += word;
  }
  return entry.Illegal("must be " + known + ".");
}

// A key of a section and what it does.
template <class Target>
struct ConfigKey {
  std::string_view name;
  absl::Status (*apply)(const ConfigEntry& entry, Target& target);
};

// Applies every entry of the section through the table; an unknown key is an error with the nearest name.
absl::Status UnknownKey(const ConfigEntry& entry, const std::vector<std::string>& known);

template <class Target, size_t kCount>
absl::Status ApplySection(const ConfigKey<Target> (&keys)[kCount], const IniSection& section, const std::string& path,
                          Target& target) {
  for (const IniEntry& entry : section.entries) {
    const ConfigEntry where{path, section.name, entry};
    const ConfigKey<Target>* found = nullptr;
    for (const ConfigKey<Target>& key : keys) {
      if (key.name == entry.key) found = &key;
    }
    if (found == nullptr) {
      std::vector<std::string> known;
      for (const ConfigKey<Target>& key : keys) known.emplace_back(key.name);
      return UnknownKey(where, known);
    }
    if (absl::Status status = found->apply(where, target); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace qlite::cli

#endif  // QLITE_EXAMPLES_COMMON_CONFIG_VALUES_H_
