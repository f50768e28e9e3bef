#include "common/ini_file.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;

std::vector<IniSection> Parse(std::string_view text) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, "a.cfg");
  INFO(MessageOf(sections));
  REQUIRE(sections.ok());
  return *std::move(sections);
}

std::string Refusal(std::string_view text) {
  const absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, "a.cfg");
  CHECK(sections.status().code() == absl::StatusCode::kInvalidArgument);
  return MessageOf(sections);
}

TEST_CASE("ini: sections, keys, values and their lines") {
  const auto sections = Parse("# comment\n\n[one]\na=1\n b = two words \n[ two ]\nc=\n");
  REQUIRE(sections.size() == 2);
  CHECK(sections[0].name == "one");
  CHECK(sections[0].line == 3);
  REQUIRE(sections[0].entries.size() == 2);
  CHECK(sections[0].entries[0].key == "a");
  CHECK(sections[0].entries[0].value == "1");
  CHECK(sections[0].entries[1].key == "b");
  CHECK(sections[0].entries[1].value == "two words");
  CHECK(sections[0].entries[1].line == 5);
  CHECK(sections[1].name == "two");
  CHECK(sections[1].entries[0].value.empty());
}

TEST_CASE("ini: nothing in it") {
  CHECK(Parse("").empty());
  CHECK(Parse("\n \n\t\n# only a comment").empty());
}

TEST_CASE("ini: carriage returns and blanks at line ends are stripped") {
  const auto sections = Parse("[s]\r\na=1\r\nb=2  \t\r\n\r\n");
  REQUIRE(sections.size() == 1);
  CHECK(sections[0].name == "s");
  CHECK(sections[0].entries[0].value == "1");
  CHECK(sections[0].entries[1].value == "2");
}

TEST_CASE("ini: the last line needs no end") { CHECK(Parse("[s]\na=1")[0].entries[0].value == "1"); }

TEST_CASE("ini: double quotes are deleted") {
  const auto sections = Parse("[s]\na=\"1,2\"\n\"b\"=\"x\"y\"\n");
  CHECK(sections[0].entries[0].value == "1,2");
  CHECK(sections[0].entries[1].key == "b");
  CHECK(sections[0].entries[1].value == "xy");
}

TEST_CASE("ini: a value in brackets is no section") {
  const auto sections = Parse("[s]\nmean=[1,2,3]\n");
  REQUIRE(sections.size() == 1);
  CHECK(sections[0].entries[0].value == "[1,2,3]");
}

TEST_CASE("ini: of a key that stands twice the last value counts") {
  const auto sections = Parse("[s]\na=1\nb=2\na=3\n");
  REQUIRE(sections[0].entries.size() == 2);
  CHECK(sections[0].entries[0].key == "a");
  CHECK(sections[0].entries[0].value == "3");
  CHECK(sections[0].entries[0].line == 4);
}

TEST_CASE("ini: a section that stands twice is continued") {
  const auto sections = Parse("[s]\na=1\n[t]\n[s]\nb=2\n");
  REQUIRE(sections.size() == 2);
  CHECK(sections[0].entries.size() == 2);
}

TEST_CASE("ini: keys before any section are in the one without a name") {
  const auto sections = Parse("a=1\n[s]\nb=2\n");
  REQUIRE(sections.size() == 2);
  CHECK(sections[0].name.empty());
  CHECK(sections[0].entries[0].key == "a");
}

TEST_CASE("ini: a comment starts in the first column alone") {
  CHECK(Parse("#a=1\n#\n").empty());
  CHECK_THAT(Refusal("[s]\n # comment\n"), Contains("a.cfg:2") && Contains("split vector size != 2"));
  CHECK(Parse("[s]\na=1 # not a comment\n")[0].entries[0].value == "1 # not a comment");
}

TEST_CASE("ini: a line that is no key and value is refused with its place") {
  CHECK_THAT(Refusal("[s]\na=1\nword\n"), Contains("a.cfg:3") && Contains("word is illegal"));
  CHECK_THAT(Refusal("[s]\na=1=2\n"), Contains("a.cfg:2") && Contains("split vector size != 2, a=1=2 is illegal."));
  CHECK_THAT(Refusal("[s]\n=1\n"), Contains("a.cfg:2"));
  CHECK_THAT(Refusal("[s\na=1\n"), Contains("a.cfg:1"));
  CHECK_THAT(Refusal("[]\n"), Contains("a.cfg:1") && Contains("section without a name"));
  CHECK_THAT(Refusal("[ ]\n"), Contains("section without a name"));
}

TEST_CASE("ini: long lines and bytes that are no text are refused") {
  CHECK(Parse("[s]\na=" + std::string(9997, 'x'))[0].entries[0].value.size() == 9997);
  CHECK_THAT(Refusal("[s]\na=" + std::string(9998, 'x')), Contains("a.cfg:2") && Contains("9999"));
  CHECK_THAT(Refusal("#" + std::string(10000, 'x')), Contains("9999"));
  CHECK_THAT(Refusal(std::string_view("[s]\na=1\0\n", 9)), Contains("a.cfg:2") && Contains("NUL"));
}

TEST_CASE("ini: files that cannot be read, and files too large") {
  CHECK_THAT(MessageOf(ReadConfigText("/nowhere/at/all.cfg")), Contains("/nowhere/at/all.cfg"));
  CHECK_FALSE(ReadConfigText("/tmp").ok());
  const std::string path = std::filesystem::temp_directory_path() / ("qlite_ini_test_" + std::to_string(getpid()));
  for (const size_t size : {size_t{0}, size_t{1} << 20}) {
    std::ofstream(path) << std::string(size, '#');
    const absl::StatusOr<std::string> text = ReadConfigText(path);
    REQUIRE(text.ok());
    CHECK(text->size() == size);
  }
  std::ofstream(path) << std::string((1 << 20) + 1, '#');
  CHECK_THAT(MessageOf(ReadConfigText(path)), Contains("1 MB"));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace qlite::cli
