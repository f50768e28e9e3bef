#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "qlite/report.h"
#include "report/histogram.h"
#include "temporary_folder.h"

namespace qlite {
namespace {

namespace fs = std::filesystem;

// A report of `count` layers, each with a weight and a result.
Report LargeReport(int count) {
  Report report;
  report.model = "</script><img src=x onerror=alert(1)>";
  report.rounds.resize(1);
  report.rounds[0].outputs.push_back({"out<b>", 0.99});
  for (int i = 0; i < count; ++i) {
    LayerReport layer;
    layer.node = "layer<!--" + std::to_string(i);
    layer.op = "Conv";
    layer.original_bytes = 4000, layer.quantized_bytes = 1000;
    TensorSummary tensor;
    tensor.tensor = "\xff\"</script>" + std::to_string(i);
    tensor.bits = 8, tensor.scales = 1;
    tensor.snr_db = i == 0 ? std::nan("") : 10 + i % 50;
    tensor.cosine = 0.9;
    tensor.histogram.original.assign(report::kHistogramBins, 1000000);
    tensor.histogram.quantized.assign(report::kHistogramBins, 5);
    layer.weights.push_back(tensor);
    layer.activations.push_back(tensor);
    report.layers.push_back(layer);
  }
  Finding finding;
  finding.node = "layer<!--0", finding.evidence = "<script>";
  report.findings.push_back(finding);
  return report;
}

std::string PageOf(const Report& report) {
  const testing::TemporaryFolder folder;
  REQUIRE(WriteReportHtml(report, folder.path()).ok());
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
  std::ostringstream text;
  text << std::ifstream(fs::path(folder.path()) / "report.html").rdbuf();
  return text.str();
}

size_t Count(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("a page has the same bytes each time, and no place for figures left") {
  const std::string page = PageOf(LargeReport(3));
  CHECK(page == PageOf(LargeReport(3)));
  CHECK(Count(page, "@") == Count(page, "@media") + Count(page, "@page"));
  CHECK_THAT(page, Catch::StartsWith("<!DOCTYPE html>"));
}

TEST_CASE("names cannot leave the figures of a page") {
  const std::string page = PageOf(LargeReport(3));
  CHECK(Count(page, "</script") == 2);
  CHECK(Count(page, "<!--") == 0);
  CHECK(Count(page, "<img") == 0);
  CHECK(Count(page, "<b>") == 0);
  CHECK(page.find('\xff') == std::string::npos);
}

TEST_CASE("a page of thousands of layers stays small: only the worst have histograms") {
  const std::string page = PageOf(LargeReport(6000));
  CHECK(page.size() < size_t{4} << 20);
  CHECK(Count(page, "\"node\":\"layer") == 6001);
  CHECK(Count(page, "\"float_counts\":") == 2 * 2000);
}

TEST_CASE("a page needs a folder") {
  const testing::TemporaryFolder folder;
  CHECK(WriteReportHtml({}, (fs::path(folder.path()) / "none").string()).code() == absl::StatusCode::kNotFound);
  CHECK_THAT(PageOf({}), Catch::Contains("\"layers\":[]"));
}

TEST_CASE("histograms count every number once") {
  std::vector<uint64_t> counts;
  const std::vector<float> values = {0, 0.5f, 1, -3, 9, std::nanf("")};
  report::CountInto(values, 0, 1, counts);
  REQUIRE(counts.size() == report::kHistogramBins);
  CHECK(counts.front() == 2);
  CHECK(counts.back() == 2);
  CHECK(counts[report::kHistogramBins / 2] == 1);
  report::CountInto(std::vector<float>{7, 7}, 7, 7, counts);
  CHECK(counts[report::kHistogramBins / 2] == 3);
}

}  // namespace
}  // namespace qlite
