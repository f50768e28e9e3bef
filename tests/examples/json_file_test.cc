#include "benchmark/json_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "temporary_folder.h"

namespace qlite::cli {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a report takes its name when it is whole") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.File("report.json");
  std::ofstream(path) << "old";
  {
    JsonFile file;
    REQUIRE(file.Open(path).ok());
    CHECK(Read(path) == "old");
  }
  CHECK(Read(path) == "old");
  CHECK(folder.entries() == 1);
  JsonFile file;
  REQUIRE(file.Open(path).ok());
  REQUIRE(file.Write("{}").ok());
  CHECK(Read(path) == "{}\n");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a report that cannot be written is refused at once, with its name and the reason") {
  JsonFile file;
  const absl::Status status = file.Open("/nowhere/a.json");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
  CHECK(status.message() == "/nowhere/a.json: cannot be written: No such file or directory");
}

TEST_CASE("a device stays a device") {
  JsonFile file;
  REQUIRE(file.Open("/dev/null").ok());
  CHECK(file.Write("{}").ok());
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK_FALSE(std::filesystem::exists("/dev/null.part"));
}

}  // namespace
}  // namespace qlite::cli
