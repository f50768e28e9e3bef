#include "report/json.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace qlite::report {
namespace {

constexpr int kDigits = 6;
constexpr std::string_view kReplacement = "\\ufffd";

// Bytes of the UTF-8 character that `text` begins with; 0 where it begins with none. Overlong forms, surrogates and
// what lies beyond U+10FFFF are none.
size_t CharacterLength(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto follows = [&](size_t i, uint8_t least = 0x80, uint8_t most = 0xBF) {
    return at(i) >= least && at(i) <= most;
  };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t least = lead == 0xE0 ? 0xA0 : 0x80, most = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, least, most) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t least = lead == 0xF0 ? 0x90 : 0x80, most = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, least, most) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool NeedsEscape(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == '\'' ||
         c == 0x7F;
}

}  // namespace

void JsonWriter::AppendQuoted(std::string_view text) {
  out_ += '"';
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterLength(text.substr(i));
    if (length == 0) {
      out_ += kReplacement;
      ++i;
      continue;
    }
    if (length == 1 && NeedsEscape(text[i])) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(static_cast<uint8_t>(text[i])));
      out_ += escape;
    } else {
      out_ += text.substr(i, length);
    }
    i += length;
  }
  out_ += '"';
}

void JsonWriter::Separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  AppendQuoted(name);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view text) {
  Separate();
  AppendQuoted(text);
  return *this;
}

JsonWriter& JsonWriter::Number(double number) {
  if (std::isnan(number)) return Text("nan");
  if (std::isinf(number)) return Text(number > 0 ? "inf" : "-inf");
  Separate();
  char digits[64];
  const std::to_chars_result result =
      std::to_chars(digits, digits + sizeof(digits), number, std::chars_format::general, kDigits);
  out_.append(digits, result.ptr);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  Separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace qlite::report
