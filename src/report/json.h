// JSON that may stand inside an HTML page.
#ifndef QLITE_REPORT_JSON_H_
#define QLITE_REPORT_JSON_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace qlite::report {

// Writes one value into a string; commas are put where they belong. Objects and arrays are begun and ended by the
// caller, in pairs. Texts may hold any bytes: what is no UTF-8 becomes U+FFFD, and no character that could end a script
// or begin a tag is written as itself. Numbers have six significant digits; those that JSON has no word for are the
// texts "inf", "-inf" and "nan".
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);
  JsonWriter& Text(std::string_view text);
  JsonWriter& Number(double number);
  template <std::integral T>
  JsonWriter& Integer(T number) {
    Separate();
    out_ += std::to_string(number);
    return *this;
  }
  JsonWriter& Bool(bool value);

  std::string Take() && { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();
  void AppendQuoted(std::string_view text);

  std::string out_;
  bool first_ = true;  // nothing stands before the next value that a comma would part it from
};

}  // namespace qlite::report

#endif  // QLITE_REPORT_JSON_H_
