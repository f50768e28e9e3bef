// Files made by others: trained models, and the test models that come with ONNX.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "core/mapped_file.h"
#include "formats/onnx/onnx_reader.h"
#include "formats/onnx/onnx_writer.h"
#include "test_data.h"

namespace qlite {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> OnnxFilesUnder(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<Graph> ReadFile(const std::string& path) {
  const absl::StatusOr<Buffer> file = MapFile(path, uint64_t{1} << 30);
  if (!file.ok()) return file.status();
  return ReadOnnx(*file, path);
}

bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("trained models load, or are refused naming the operators they need") {
  const auto folder = testing::TestData("models");
  if (!folder) {
    WARN("skipped: no test data");
    return;
  }
  for (const std::string& path : OnnxFilesUnder(*folder)) {
    const absl::StatusOr<Graph> graph = ReadFile(path);
    INFO(path << ": " << graph.status().ToString());
    if (Contains(path, "silero")) {
      CHECK(Contains(graph.status().ToString(), "(If): conditions that depend on the data"));
    } else {
      CHECK(graph.ok());
    }
  }
}

TEST_CASE("trained models keep their meaning when written and read again") {
  const auto folder = testing::TestData("models");
  if (!folder) {
    WARN("skipped: no test data");
    return;
  }
  for (const std::string& path : OnnxFilesUnder(*folder)) {
    const absl::StatusOr<Graph> graph = ReadFile(path);
    if (!graph.ok()) continue;
    INFO(path);
    const absl::StatusOr<std::string> bytes = WriteOnnx(*graph);
    REQUIRE(bytes.ok());
    const absl::StatusOr<Graph> again = ReadOnnx(Buffer::Copy(bytes->data(), bytes->size()), "");
    REQUIRE(again.ok());
    const std::vector<NodeId> before = graph->TopologicalOrder(), after = again->TopologicalOrder();
    REQUIRE(before.size() == after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      CHECK(graph->node(before[i]).op == again->node(after[i]).op);
      CHECK(graph->node(before[i]).name == again->node(after[i]).name);
    }
    const absl::StatusOr<std::string> rewritten = WriteOnnx(*again);
    REQUIRE(rewritten.ok());
    CHECK(*rewritten == *bytes);
  }
}

TEST_CASE("the test models of ONNX load or are refused cleanly") {
  const auto folder = testing::TestData("onnx_backend");
  if (!folder) {
    WARN("skipped: no test data");
    return;
  }
  size_t loaded = 0;
  for (const std::string& path : OnnxFilesUnder(*folder)) {
    const absl::StatusOr<Graph> graph = ReadFile(path);
    INFO(path << ": " << graph.status().ToString());
    if (graph.ok()) {
      ++loaded;
      CHECK(graph->Validate().ok());
    } else {
      CHECK(graph.status().code() == absl::StatusCode::kUnimplemented);
    }
  }
  CHECK(loaded >= 15);
}

}  // namespace
}  // namespace qlite
