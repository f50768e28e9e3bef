#include "benchmark/golden_file.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "benchmark/model_runner.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 28;

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t start = line.find_first_not_of(" \t"); start != std::string_view::npos;) {
    const size_t end = line.find_first_of(" \t", start);
    words.push_back(line.substr(start, end - start));
    start = end == std::string_view::npos ? end : line.find_first_not_of(" \t", end);
  }
  return words;
}

absl::Status LineError(const std::string& path, size_t line, std::string_view what) {
  return absl::InvalidArgumentError(Join({path, ":", std::to_string(line), ": ", what}));
}

// "<name> <rank> <dims>"; the product of the dimensions goes to `elements`.
absl::Status ParseHead(std::string_view text, const std::string& path, size_t line, GoldenTensor& tensor,
                       int64_t& elements) {
  const std::vector<std::string_view> words = Words(text);
  const std::optional<int64_t> rank = words.size() >= 2 ? ParseInteger(words[1]) : std::nullopt;
  if (!rank || *rank < 0 || static_cast<size_t>(*rank) != words.size() - 2) {
    return LineError(path, line, "expected '<name> <rank> <d0> <d1> ...'");
  }
  tensor.name = std::string(words[0]);
  elements = 1;
  for (size_t i = 2; i < words.size(); ++i) {
    const std::optional<int64_t> dim = ParseInteger(words[i]);
    if (!dim || *dim < 1 || *dim > kMaxElements / elements) {
      return LineError(path, line, Join({"'", words[i], "' is not a possible dimension"}));
    }
    tensor.dims.push_back(*dim);
    elements *= *dim;
  }
  return absl::OkStatus();
}

absl::Status ParseValues(std::string_view text, const std::string& path, size_t line, int64_t elements,
                         GoldenTensor& tensor) {
  const std::vector<std::string_view> words = Words(text);
  if (static_cast<int64_t>(words.size()) != elements) {
    return LineError(path, line,
                     Join({"output '", tensor.name, "': expected ", std::to_string(elements), " values, found ",
                           std::to_string(words.size())}));
  }
  for (const std::string_view word : words) {
    const std::optional<double> value = ParseNumber(word);
    if (!value) return LineError(path, line, Join({"'", word.substr(0, 40), "' is not a finite number"}));
    tensor.values.push_back(*value);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<GoldenTensor>> ParseGolden(std::string_view text, const std::string& path) {
  std::vector<GoldenTensor> tensors;
  const std::vector<std::string> lines = Split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (Trim(lines[i]).empty()) continue;
    GoldenTensor& tensor = tensors.emplace_back();
    int64_t elements = 0;
    if (absl::Status status = ParseHead(Trim(lines[i]), path, i + 1, tensor, elements); !status.ok()) return status;
    ++i;
    const std::string_view values = i < lines.size() ? Trim(lines[i]) : std::string_view();
    if (absl::Status status = ParseValues(values, path, i + 1, elements, tensor); !status.ok()) return status;
  }
  if (tensors.empty()) return absl::InvalidArgumentError(Join({path, ": no outputs in it"}));
  return tensors;
}

absl::StatusOr<std::vector<GoldenTensor>> ReadGoldenFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(Join({path, ": cannot be read"}));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return ParseGolden(text, path);
}

bool SameShape(std::span<const int64_t> a, std::span<const int64_t> b) {
  while (!a.empty() && a.back() == 1) a = a.first(a.size() - 1);
  while (!b.empty() && b.back() == 1) b = b.first(b.size() - 1);
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

absl::StatusOr<double> MeanBias(const GoldenTensor& golden, const TensorView& result) {
  constexpr double kAbsolute = 1e-8, kRelative = 1e-5, kNearZero = 1.19e-7, kTiny = 1.18e-38;
  double sum = 0;
  int64_t counted = 0;
  for (size_t i = 0; i < golden.values.size(); ++i) {
    const double r = golden.values[i], x = ElementAsNumber(result, i), error = std::abs(x - r);
    if (!std::isfinite(x)) {
      return absl::DataLossError(Join({"output '", golden.name, "' is not finite at index ", std::to_string(i)}));
    }
    if (error <= kAbsolute + kRelative * std::abs(r)) continue;
    if (std::abs(r) >= kNearZero) {
      sum += error / (std::abs(r) + kTiny);
      ++counted;
    } else if (error > 1e-5) {
      sum += error;
      ++counted;
    }
  }
  return counted == 0 ? 0.0 : sum / static_cast<double>(counted);
}

double CosineSimilarity(const GoldenTensor& golden, const TensorView& result) {
  double dot = 0, golden_norm = 0, result_norm = 0;
  for (size_t i = 0; i < golden.values.size(); ++i) {
    const double r = golden.values[i], x = ElementAsNumber(result, i);
    dot += r * x;
    golden_norm += r * r;
    result_norm += x * x;
  }
  const double norms = std::sqrt(golden_norm) * std::sqrt(result_norm);
  if (norms > 0) return dot / norms;
  return golden_norm == result_norm ? 1.0 : 0.0;
}

}  // namespace qlite::cli
