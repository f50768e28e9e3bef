#include "qlite/nearest_name.h"

#include <catch2/catch.hpp>

namespace qlite {
namespace {

using ::Catch::Contains;

std::string_view Nearest(std::string_view wanted, const std::vector<std::string_view>& known) {
  return NearestName(wanted, known);
}

TEST_CASE("the nearest name by letters inserted, removed, replaced and swapped") {
  const std::vector<std::string_view> known = {"calibrate_path", "calibrate_size", "input_type"};
  CHECK(Nearest("calibrate_pth", known) == "calibrate_path");
  CHECK(Nearest("calibrate_ssize", known) == "calibrate_size");
  CHECK(Nearest("imput_type", known) == "input_type");
  CHECK(Nearest("inptu_type", known) == "input_type");
  CHECK(Nearest("INPUT_TYPE", known) == "input_type");
  CHECK(Nearest("input_type", known) == "input_type");
}

TEST_CASE("what is not near has no nearest name") {
  CHECK(Nearest("frobnicate", {"calibrate_path", "input_type"}).empty());
  CHECK(Nearest("abc", {}).empty());
  CHECK(Nearest("", {"calibrate_path"}).empty());
  CHECK(Nearest("xy", {"abc"}).empty());
  CHECK(Nearest("axc", {"abc"}) == "abc");
}

TEST_CASE("of equally near names it is the first") { CHECK(Nearest("bat", {"cat", "rat"}) == "cat"); }

TEST_CASE("very long names are not searched") {
  const std::string long_name(100000, 'x');
  CHECK(Nearest(long_name, {long_name}).empty());
  CHECK(Nearest("xxxx", {long_name, "xxxy"}) == "xxxy");
}

TEST_CASE("did you mean: nearest and list") {
  const std::vector<std::string> known = {"MAX_MIN", "KL"};
  CHECK(DidYouMean("MAXMIN", known) == "did you mean 'MAX_MIN'? Known: MAX_MIN, KL");
  CHECK(DidYouMean("entropy", known) == "Known: MAX_MIN, KL");
  const std::vector<std::string> many(50, "name");
  CHECK_THAT(DidYouMean("other", many), Contains("50 names") && !Contains("name, name"));
}

}  // namespace
}  // namespace qlite
