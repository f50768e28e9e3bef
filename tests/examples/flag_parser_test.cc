#include "common/flag_parser.h"

#include <catch2/catch.hpp>

#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;
using ::Catch::Equals;

struct Values {
  std::string text = "unset", json;
  int64_t number = 7;
  double real = 0.5;
  bool flag = false, other = true;
};

struct Parsed {
  absl::Status status;
  Values values;
  bool help = false, text_given = false;
};

FlagParser MakeParser(Values& values) {
  FlagParser parser("program", "Does things.");
  parser.Group("First");
  parser.Add("text", &values.text, "NAME", "some text");
  parser.Add("number", &values.number, "N", "a number");
  parser.Group("Second");
  parser.Add("real", &values.real, "X", "a real number");
  parser.Add("flag", &values.flag, "a switch");
  parser.Add("other", &values.other, "a switch that is on");
  parser.AddOptional("json", &values.json, "-", "PATH", "a value that may be left out");
  return parser;
}

Parsed Parse(const std::vector<const char*>& arguments) {
  Parsed parsed;
  FlagParser parser = MakeParser(parsed.values);
  std::vector<const char*> argv = {"program"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  parsed.status = parser.Parse(static_cast<int>(argv.size()), argv.data());
  parsed.help = parser.help_wanted();
  parsed.text_given = parser.given("text");
  return parsed;
}

std::string Refusal(const std::vector<const char*>& arguments) {
  const absl::Status status = Parse(arguments).status;
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  return MessageOf(status);
}

TEST_CASE("flags: values of every type") {
  const Parsed parsed = Parse({"--text=a=b c", "--number=-12", "--real=2.5e-3", "--flag"});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.values.text == "a=b c");
  CHECK(parsed.values.number == -12);
  CHECK(parsed.values.real == 2.5e-3);
  CHECK(parsed.values.flag);
  CHECK(parsed.text_given);
}

TEST_CASE("flags: what is not given keeps its default") {
  const Parsed parsed = Parse({});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.values.text == "unset");
  CHECK(parsed.values.number == 7);
  CHECK(parsed.values.other);
  CHECK_FALSE(parsed.text_given);
}

TEST_CASE("flags: blanks around an argument are trimmed and empty arguments skipped") {
  const Parsed parsed = Parse({"  --number=3\t", "", "  ", "\n--text=x "});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.values.number == 3);
  CHECK(parsed.values.text == "x");
}

TEST_CASE("flags: an empty text is a value") {
  const Parsed parsed = Parse({"--text="});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.values.text.empty());
  CHECK(parsed.text_given);
}

TEST_CASE("flags: -- ends them") {
  const Parsed parsed = Parse({"--number=3", "--", "--number=4", "rubbish"});
  REQUIRE(parsed.status.ok());
  CHECK(parsed.values.number == 3);
}

TEST_CASE("flags: an argument without -- is refused") {
  CHECK_THAT(Refusal({"number=3"}), Equals("Failed: flag number=3 is not valid."));
  CHECK_THAT(Refusal({"-number=3"}), Equals("Failed: flag -number=3 is not valid."));
}

TEST_CASE("flags: an unknown name is refused, with the nearest") {
  CHECK_THAT(Refusal({"--nubmer=3"}), Contains("nubmer is not a valid flag") && Contains("'number'"));
  CHECK_THAT(Refusal({"--Number=3"}), Contains("Number is not a valid flag") && Contains("'number'"));
  CHECK_THAT(Refusal({"--unheardOf"}), Equals("unheardOf is not a valid flag"));
  CHECK_THAT(Refusal({"--=3"}), Contains(" is not a valid flag"));
  CHECK_THAT(Refusal({"--no-thing"}), Contains("no-thing is not a valid flag"));
  CHECK_FALSE(Parse({(std::string("--") + std::string(100000, 'x')).c_str()}).status.ok());
}

TEST_CASE("flags: the same one twice is refused") {
  CHECK_THAT(Refusal({"--number=3", "--number=3"}), Equals("Failed: already parsed flag: number"));
  CHECK_THAT(Refusal({"--flag", "--no-flag"}), Equals("Failed: already parsed flag: flag"));
}

TEST_CASE("flags: a missing value is refused") {
  CHECK_THAT(Refusal({"--text"}), Equals("No value provided for non-boolean type: text"));
  CHECK_THAT(Refusal({"--number"}), Equals("No value provided for non-boolean type: number"));
}

TEST_CASE("flags: booleans") {
  for (const char* on : {"--flag", "--flag=true", "--flag=1"}) CHECK(Parse({on}).values.flag);
  for (const char* off : {"--no-other", "--other=false", "--other=0"}) {
    const Parsed parsed = Parse({off});
    CHECK(parsed.status.ok());
    CHECK_FALSE(parsed.values.other);
  }
  CHECK_THAT(Refusal({"--flag=yes"}), Contains("Failed to parse value for: flag"));
  CHECK_THAT(Refusal({"--flag="}), Contains("Failed to parse value for: flag"));
  CHECK_THAT(Refusal({"--no-text"}), Equals("text is not a boolean type"));
  CHECK_THAT(Refusal({"--no-text=x"}), Equals("text is not a boolean type"));
  CHECK_THAT(Refusal({"--no-flag=true"}), Contains("Boolean flag can not have non-empty value"));
}

TEST_CASE("flags: numbers are read whole") {
  for (const char* bad : {"--number=", "--number=3x", "--number=3.0", "--number= 3", "--number=0x10", "--number=+3",
                          "--number=99999999999999999999", "--number=1e3"}) {
    CHECK_THAT(Refusal({bad}), Contains("Failed to parse value for: number"));
  }
  for (const char* bad : {"--real=", "--real=abc", "--real=1,5", "--real=nan", "--real=inf", "--real=1e999"}) {
    CHECK_THAT(Refusal({bad}), Contains("Failed to parse value for: real"));
  }
}

TEST_CASE("flags: help, and a value that may be left out") {
  CHECK(Parse({"--help"}).help);
  CHECK_FALSE(Parse({}).help);
  CHECK_THAT(Refusal({"--help=yes"}), Contains("help is not a valid flag"));
  CHECK(Parse({"--json"}).values.json == "-");
  CHECK(Parse({"--json=file"}).values.json == "file");
  CHECK(Parse({}).values.json.empty());
}

TEST_CASE("flags: the usage names every flag under its heading") {
  Values values;
  const std::string usage = MakeParser(values).Usage();
  CHECK_THAT(usage, Contains("Does things.") && Contains("program --name=value"));
  CHECK(usage.find("First") < usage.find("--text=NAME"));
  CHECK(usage.find("--number=N") < usage.find("Second"));
  CHECK(usage.find("Second") < usage.find("--flag "));
}

}  // namespace
}  // namespace qlite::cli
