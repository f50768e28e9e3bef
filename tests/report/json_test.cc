#include "report/json.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace qlite::report {
namespace {

std::string TextOf(std::string_view text) { return std::move(JsonWriter().Text(text)).Take(); }
std::string NumberOf(double number) { return std::move(JsonWriter().Number(number)).Take(); }

TEST_CASE("values are parted by commas, names and values are not") {
  JsonWriter json;
  json.BeginObject().Key("a").Integer(int64_t{1}).Key("b").BeginArray().Bool(true).Number(2.5).BeginArray().EndArray();
  json.EndArray().Key("c").Text("x").EndObject();
  CHECK(std::move(json).Take() == R"({"a":1,"b":[true,2.5,[]],"c":"x"})");
}

TEST_CASE("no text ends a script, begins a tag or breaks out of its quotes") {
  CHECK(TextOf("</script><img onerror=\"x\">") == R"("\u003c/script\u003e\u003cimg onerror=\u0022x\u0022\u003e")");
  CHECK(TextOf("<!--&'\\\n") == R"("\u003c!--\u0026\u0027\u005c\u000a")");
  CHECK(TextOf(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("characters of UTF-8 stay, other bytes are replaced") {
  CHECK(TextOf("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  for (const std::string_view broken : {"\x80", "\xc0", "\xed\xa0\x80", "\xe2\x82", "\xf5", "\xf0\x80\x80\x80"}) {
    const std::string text = TextOf(broken);
    CHECK(text.find("\\ufffd") == 1);
    for (const char c : text) CHECK(static_cast<uint8_t>(c) < 0x80);
  }
}

TEST_CASE("numbers have six digits, and texts where JSON has no word") {
  CHECK(NumberOf(1.0 / 3) == "0.333333");
  CHECK(NumberOf(1e300) == "1e+300");
  CHECK(NumberOf(-std::numeric_limits<double>::infinity()) == "\"-inf\"");
  CHECK(NumberOf(std::nan("")) == "\"nan\"");
}

}  // namespace
}  // namespace qlite::report
