// Where the tests find the trained models and pictures that are not part of the repository.
#ifndef QLITE_TESTS_TEST_DATA_H_
#define QLITE_TESTS_TEST_DATA_H_

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace qlite::testing {

// The path of `relative` inside the folder named by $QLITE_TEST_DATA, by default ../shared/data beside the source tree;
// nothing where it is absent, and the caller then skips its test with a WARN that says so.
inline std::optional<std::string> TestData(const std::string& relative) {
  const char* set = std::getenv("QLITE_TEST_DATA");
  const std::filesystem::path root =
      set != nullptr ? std::filesystem::path(set) : std::filesystem::path(QLITE_SOURCE_DIR) / ".." / "shared" / "data";
  const std::filesystem::path path = root / relative;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path.string();
}

}  // namespace qlite::testing

#endif  // QLITE_TESTS_TEST_DATA_H_
