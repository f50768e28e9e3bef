#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "core/atomic_file.h"
#include "core/mapped_file.h"
#include "temporary_folder.h"

namespace qlite {
namespace {

using ::Catch::Contains;
using testing::TemporaryFolder;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

TEST_CASE("a file is written and replaced") {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.bin");
  REQUIRE(WriteFileAtomically(path, std::string_view("one\0two", 7)).ok());
  CHECK(Contents(path) == std::string("one\0two", 7));
  REQUIRE(WriteFileAtomically(path, "").ok());
  CHECK(Contents(path).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("the file has ordinary permissions") {
  const TemporaryFolder folder;
  const mode_t mask = umask(027);
  REQUIRE(WriteFileAtomically(folder.File("a"), "x").ok());
  umask(mask);
  struct stat info {};
  REQUIRE(stat(folder.File("a").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("the longest name that a file can have") {
  const TemporaryFolder folder;
  CHECK(WriteFileAtomically(folder.File(std::string(255, 'n')), "x").ok());
  CHECK_FALSE(WriteFileAtomically(folder.File(std::string(256, 'n')), "x").ok());
  CHECK(folder.entries() == 1);
}

TEST_CASE("a check that fails leaves the old file and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.bin");
  REQUIRE(WriteFileAtomically(path, "old").ok());
  std::string seen;
  const absl::Status status = WriteFileAtomically(path, "new", [&](const std::string& temporary) {
    seen = Contents(temporary);
    return absl::FailedPreconditionError("outputs differ");
  });
  CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(seen == "new");
  CHECK(Contents(path) == "old");
  CHECK(folder.entries() == 1);
  CHECK(WriteFileAtomically(path, "new", [](const std::string&) { return absl::OkStatus(); }).ok());
  CHECK(Contents(path) == "new");
}

TEST_CASE("a file is written piece by piece, and its beginning last") {
  const TemporaryFolder folder;
  const std::string path = folder.File("a.bin");
  const auto fill = [](ByteSink& file) {
    file.Expect(9);
    for (const std::string_view piece : {"???", "one", "two"}) {
      if (absl::Status status = file.Append(piece); !status.ok()) return status;
    }
    return file.Overwrite(1, "AB");
  };
  REQUIRE(WriteFileAtomically(path, fill).ok());
  CHECK(Contents(path) == "?ABonetwo");
  StringSink sink;
  REQUIRE(fill(sink).ok());
  CHECK(sink.bytes() == "?ABonetwo");
  const absl::Status status = WriteFileAtomically(path, [](ByteSink& file) {
    return file.Append("new").ok() ? absl::CancelledError("no more") : absl::OkStatus();
  });
  CHECK(status.code() == absl::StatusCode::kCancelled);
  CHECK(Contents(path) == "?ABonetwo");
  CHECK(folder.entries() == 1);
}

TEST_CASE("large files are read and compared piece by piece") {
  const TemporaryFolder folder;
  std::string bytes((size_t{32} << 20) + 1000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>(i / 1000);
  REQUIRE(WriteFileAtomically(folder.File("a"), bytes).ok());
  const Buffer mapped = *MapFile(folder.File("a"), uint64_t{1} << 30);
  std::string read;
  int pieces = 0;
  ForEachPiece(mapped, [&](std::span<const std::byte> piece) {
    read.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    ++pieces;
  });
  CHECK(pieces == 3);
  CHECK(read == bytes);
  const Buffer other = Buffer::Copy(bytes.data(), bytes.size());
  CHECK(SameBytes(mapped, other));
  CHECK(SameBytes(other, mapped));
  bytes.back() = 'y';
  CHECK_FALSE(SameBytes(mapped, Buffer::Copy(bytes.data(), bytes.size())));
  CHECK_FALSE(SameBytes(mapped, Buffer::Copy(bytes.data(), bytes.size() - 1)));
  CHECK(SameBytes(Buffer(), Buffer()));
}

TEST_CASE("targets that cannot be written are errors that name them") {
  const TemporaryFolder folder;
  CHECK_THAT(MessageOf(WriteFileAtomically(folder.File("missing/a.bin"), "x")), Contains("missing"));
  CHECK_THAT(MessageOf(WriteFileAtomically(folder.path(), "x")), Contains("not a regular file"));
  CHECK_THAT(MessageOf(WriteFileAtomically("/dev/null", "x")), Contains("not a regular file"));
  CHECK_FALSE(WriteFileAtomically("", "x").ok());
  CHECK(folder.entries() == 0);
}

TEST_CASE("a mapped file outlives its name") {
  const TemporaryFolder folder;
  REQUIRE(WriteFileAtomically(folder.File("a"), "hello").ok());
  absl::StatusOr<Buffer> buffer = MapFile(folder.File("a"), 5);
  REQUIRE(buffer.ok());
  unlink(folder.File("a").c_str());
  CHECK(std::string(reinterpret_cast<const char*>(buffer->data), buffer->size) == "hello");
  const Buffer copy = *buffer;
  *buffer = Buffer();
  CHECK(static_cast<char>(copy.data[4]) == 'o');
}

TEST_CASE("released pages keep what the file holds, and other memory is left alone") {
  const TemporaryFolder folder;
  std::string bytes(100000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  REQUIRE(WriteFileAtomically(folder.File("a"), bytes).ok());
  const absl::StatusOr<Buffer> mapped = MapFile(folder.File("a"), bytes.size());
  REQUIRE(mapped.ok());
  const auto text = [](const Buffer& buffer) {
    return std::string(reinterpret_cast<const char*>(buffer.data), buffer.size);
  };
  CHECK(text(*mapped) == bytes);
  for (const size_t begin : {size_t{0}, size_t{1}, size_t{5000}}) {
    ReleasePages({mapped->data + begin, mapped->size - begin, mapped->owner});
    CHECK(text(*mapped) == bytes);
  }
  const Buffer heap = Buffer::Copy(bytes.data(), bytes.size());
  ReleasePages(heap);
  CHECK(text(heap) == bytes);
  ReleasePages(Buffer());
}

TEST_CASE("what cannot be mapped is an error that names it") {
  const TemporaryFolder folder;
  CHECK(MapFile(folder.File("absent"), 100).status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(MessageOf(MapFile(folder.File("absent"), 100).status()), Contains("absent"));
  CHECK_THAT(MessageOf(MapFile(folder.path(), 100).status()), Contains("not a regular file"));
  REQUIRE(WriteFileAtomically(folder.File("a"), "hello").ok());
  const absl::Status large = MapFile(folder.File("a"), 4).status();
  CHECK(large.code() == absl::StatusCode::kResourceExhausted);
  CHECK_THAT(MessageOf(large), Contains("5 bytes") && Contains("limit of 4"));
  REQUIRE(WriteFileAtomically(folder.File("empty"), "").ok());
  const absl::StatusOr<Buffer> empty = MapFile(folder.File("empty"), 4);
  REQUIRE(empty.ok());
  CHECK(empty->size == 0);
  REQUIRE(mkfifo(folder.File("pipe").c_str(), 0600) == 0);
  CHECK_FALSE(MapFile(folder.File("pipe"), 4).ok());
}

}  // namespace
}  // namespace qlite
