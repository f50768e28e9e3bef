#include "common/data_request.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "examples/refusal.h"
#include "temporary_folder.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;

// Folders of raw tensors, removed at the end.
class Folders {
 public:
  // A folder of `count` files of `bytes` bytes; every byte of file i is `first` + i.
  std::string Make(const std::string& name, int count, size_t bytes, int first = 0) const {
    std::filesystem::create_directory(folder_.File(name));
    for (int i = 0; i < count; ++i) {
      folder_.Write(name + "/" + std::to_string(i) + ".bin", std::string(bytes, static_cast<char>(first + i)));
    }
    return folder_.File(name);
  }

 private:
  testing::TemporaryFolder folder_;
};

const std::vector<InputSpec>& TwoInputs() {
  static const std::vector<InputSpec> inputs = {{"a", ElementType::kUInt8, {1, 4}}, {"b", ElementType::kUInt8, {2}}};
  return inputs;
}

DataRequest RawRequest(std::vector<std::pair<std::string, std::string>> folders, int64_t count) {
  DataRequest request;
  request.kind = DataRequest::Kind::kRaw;
  request.folders = std::move(folders);
  request.count = count;
  return request;
}

std::string Refusal(const DataRequest& request) {
  const auto data = OpenDataRequest(request, TwoInputs(), {});
  CHECK_FALSE(data.ok());
  return MessageOf(data.status());
}

TEST_CASE("data: folders by name, in any order") {
  const Folders folders;
  const std::string a = folders.Make("a", 3, 4), b = folders.Make("b", 3, 2, 100);
  for (const auto& request : {RawRequest({{"b", b}, {"a", a}}, 3), RawRequest({{"", a}, {"", b}}, 3)}) {
    const auto data = OpenDataRequest(request, TwoInputs(), {});
    INFO(MessageOf(data.status()));
    REQUIRE(data.ok());
    CHECK((*data)->size() == 3);
    uint8_t first[4], second[2];
    const MutableTensorView views[] = {{ElementType::kUInt8, TwoInputs()[0].dims, first, 4},
                                       {ElementType::kUInt8, TwoInputs()[1].dims, second, 2}};
    REQUIRE((*data)->Read(1, views).ok());
    CHECK(first[3] == 1);
    CHECK(second[1] == 101);
  }
}

TEST_CASE("data: every input has one folder") {
  const Folders folders;
  const std::string a = folders.Make("a", 1, 4), b = folders.Make("b", 1, 2);
  CHECK_THAT(Refusal(RawRequest({{"a", a}}, 1)), Contains("no folder for the model's input 'b'"));
  CHECK_THAT(Refusal(RawRequest({{"a", a}, {"a", a}}, 1)), Contains("one each is needed"));
  CHECK_THAT(Refusal(RawRequest({{"", a}, {"", b}, {"", b}}, 1)),
             Contains("3 folders for the model's 2 inputs ('a', 'b')"));
  CHECK_THAT(Refusal(RawRequest({{"a", a}, {"B", b}}, 1)),
             Contains("'B' is not an input") && Contains("did you mean 'b'"));
  CHECK_THAT(Refusal(RawRequest({}, 1)), Contains("no folder"));
}

TEST_CASE("data: numbers of samples") {
  const Folders folders;
  const std::string a = folders.Make("a", 3, 4), b = folders.Make("b", 3, 2);
  DataRequest request = RawRequest({{"a", a}, {"b", b}}, 5);
  CHECK_THAT(Refusal(request), Contains("5") && Contains("3"));
  request.fewer_allowed = true;
  CHECK((*OpenDataRequest(request, TwoInputs(), {}))->size() == 3);
  request.count = 2;
  CHECK((*OpenDataRequest(request, TwoInputs(), {}))->size() == 2);
}

TEST_CASE("data: what kind they are must be said") {
  const Folders folders;
  const std::string a = folders.Make("a", 1, 4), b = folders.Make("b", 1, 2);
  DataRequest request = RawRequest({{"a", a}, {"b", b}}, 1);
  request.kind = DataRequest::Kind::kUnset;
  CHECK_THAT(Refusal(request), Contains("input_type must be given"));
}

TEST_CASE("data: sizes are the inputs'") {
  const Folders folders;
  const std::string a = folders.Make("a", 1, 5), b = folders.Make("b", 1, 2);
  CHECK_THAT(Refusal(RawRequest({{"a", a}, {"b", b}}, 1)), Contains("0.bin") && Contains("5") && Contains("4"));
}

}  // namespace
}  // namespace qlite::cli
