#include "common/ini_file.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "common/text.h"

namespace qlite::cli {
namespace {

constexpr size_t kMaxLine = 9999;
constexpr size_t kMaxFile = 1 << 20;

absl::Status LineError(std::string_view path, int line, std::string_view what) {
  return absl::InvalidArgumentError(Join({path, ":", std::to_string(line), ": ", what}));
}

IniSection& FindOrAdd(std::vector<IniSection>& sections, std::string_view name, int line) {
  for (IniSection& section : sections) {
    if (section.name == name) return section;
  }
  return sections.emplace_back(IniSection{std::string(name), line, {}});
}

void SetEntry(IniSection& section, IniEntry entry) {
  for (IniEntry& old : section.entries) {
    if (old.key == entry.key) {
      old = std::move(entry);
      return;
    }
  }
  section.entries.push_back(std::move(entry));
}

}  // namespace

absl::StatusOr<std::vector<IniSection>> ParseIni(std::string_view text, std::string_view path) {
  std::vector<IniSection> sections;
  std::string section_name;
  int number = 0;
  for (const std::string& raw : Split(text, '\n')) {
    ++number;
    if (raw.size() > kMaxLine) return LineError(path, number, "the line is longer than 9999 characters");
    if (raw.find('\0') != std::string::npos) return LineError(path, number, "a NUL byte; this is not a text file");
    if (raw.starts_with('#')) continue;
    std::string line = raw;
    line.erase(std::remove(line.begin(), line.end(), '"'), line.end());
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty()) continue;
    if (trimmed.front() == '[' && trimmed.back() == ']') {
      section_name = std::string(Trim(trimmed.substr(1, trimmed.size() - 2)));
      if (section_name.empty()) return LineError(path, number, "a section without a name");
      FindOrAdd(sections, section_name, number);
      continue;
    }
    const std::vector<std::string> parts = Split(trimmed, '=');
    if (parts.size() != 2 || Trim(parts[0]).empty()) {
      return LineError(path, number,
                       Join({"split vector size != 2, ", trimmed,
                             " is illegal. Expected 'key=value', '[section]', or '#' in ", "the first column"}));
    }
    SetEntry(FindOrAdd(sections, section_name, number),
             {std::string(Trim(parts[0])), std::string(Trim(parts[1])), number});
  }
  return sections;
}

absl::StatusOr<std::string> ReadConfigText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && !file.good()) return absl::NotFoundError(Join({path, ": cannot be read; is it a file?"}));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFile) return absl::InvalidArgumentError(Join({path, ": larger than 1 MB; not a config file"}));
  return text;
}

}  // namespace qlite::cli
