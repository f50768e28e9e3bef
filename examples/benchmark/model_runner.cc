#include "benchmark/model_runner.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include "common/progress_line.h"
#include "common/text.h"
#include "qlite/model_io.h"

namespace qlite::cli {
namespace {

// Outputs that a Softmax makes are replaced by what goes into it.
void TakeLogits(Graph& graph) {
  std::vector<ValueId> outputs(graph.outputs().begin(), graph.outputs().end());
  for (ValueId& output : outputs) {
    const NodeId producer = graph.value(output).producer;
    if (!producer.valid()) continue;
    const Node& node = graph.node(producer);
    if (node.op == OpType::kSoftmax || node.op == OpType::kLogSoftmax) output = node.inputs[0];
  }
  graph.SetOutputs(std::move(outputs));
}

absl::StatusOr<std::map<std::string, std::vector<int64_t>>> ShapesByName(const Graph& graph,
                                                                         const BenchmarkRequest& request) {
  std::map<std::string, std::vector<int64_t>> shapes = request.input_shapes;
  if (request.positional_shapes.size() > graph.inputs().size()) {
    return absl::InvalidArgumentError("inputShapes: more shapes than the model has inputs");
  }
  for (size_t i = 0; i < request.positional_shapes.size(); ++i) {
    shapes[graph.value(graph.inputs()[i]).name] = request.positional_shapes[i];
  }
  return shapes;
}

absl::Status ReadRaw(const std::string& path, const MutableTensorView& input) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return absl::NotFoundError(Join({path, ": cannot be read: ", error.message()}));
  if (size != input.bytes) {
    return absl::InvalidArgumentError(Join({path, ": Input binary file size error, required: ",
                                            std::to_string(input.bytes), ", in fact: ", std::to_string(size)}));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file.read(static_cast<char*>(input.data), static_cast<std::streamsize>(size))) {
    return absl::DataLossError(Join({path, ": cannot be read"}));
  }
  return absl::OkStatus();
}

template <class T, class Make>
void Fill(const MutableTensorView& input, Make make) {
  for (T& x : input.as<T>()) x = static_cast<T>(make());
}

void FillRandom(std::mt19937& generator, const MutableTensorView& input) {
  // From the generator's bits alone: standard distributions differ between libraries.
  const auto unit = [&generator] { return static_cast<double>(generator()) * 0x1p-32; };
  const auto real = [&unit] { return 0.1 + 0.9 * unit(); };
  switch (input.type) {
    case ElementType::kFloat32:
      return Fill<float>(input, real);
    case ElementType::kFloat64:
      return Fill<double>(input, real);
    case ElementType::kInt8:
      return Fill<int8_t>(input, [&] { return std::floor(unit() * 255) - 127; });
    case ElementType::kUInt8:
      return Fill<uint8_t>(input, [&] { return std::floor(unit() * 255); });
    case ElementType::kInt16:
    case ElementType::kUInt16:
      return Fill<int16_t>(input, [&] { return std::floor(unit() * 2); });
    case ElementType::kInt32:
    case ElementType::kUInt32:
      return Fill<int32_t>(input, [&] { return std::floor(unit() * 2); });
    case ElementType::kInt64:
    case ElementType::kUInt64:
      return Fill<int64_t>(input, [&] { return std::floor(unit() * 2); });
    default:
      return Fill<uint8_t>(input, [&] { return std::floor(unit() * 2); });
  }
}

// An IEEE 754 binary16 number.
double HalfAsNumber(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  if (exponent == 31) magnitude = fraction == 0 ? HUGE_VAL : NAN;
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

absl::StatusOr<Context> MakeBenchmarkContext(const BenchmarkRequest& request, int64_t threads) {
  ContextOptions options;
  options.num_threads = static_cast<int>(threads);
  options.log = MakeStderrLogSink(LogLevel::kWarning);
  options.limits.memory_budget_bytes = static_cast<uint64_t>(request.memory_limit_mb) << 20;
  return Context::Create(std::move(options));
}

absl::StatusOr<LoadedModel> LoadForBenchmark(const Context& context, const std::string& path,
                                             const BenchmarkRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  LoadedModel model;
  absl::StatusOr<Graph> graph = LoadModel(context, path);
  if (!graph.ok()) return graph.status();
  if (request.logits) TakeLogits(*graph);
  auto shapes = ShapesByName(*graph, request);
  if (!shapes.ok()) return shapes.status();
  model.inputs = InputSpecs(*graph, request.input_shapes);
  SessionOptions options;
  options.input_shapes = *std::move(shapes);
  options.float16 = request.float16;
  options.weight_decoding = request.weight_decoding;
  options.profile = request.time_profiling;
  auto session = Session::Create(context, *std::move(graph), options);
  if (!session.ok()) return session.status();
  model.session = *std::move(session);
  model.prepare_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return model;
}

absl::Status FillInputs(const BenchmarkRequest& request, Session& session) {
  if (!request.input_files.empty() && request.input_files.size() != session.input_count()) {
    return absl::InvalidArgumentError(
        Join({"inDataFile: ", std::to_string(request.input_files.size()), " files for the model's ",
              std::to_string(session.input_count()), " inputs"}));
  }
  std::mt19937 generator;
  for (size_t i = 0; i < session.input_count(); ++i) {
    if (request.input_files.empty()) {
      FillRandom(generator, session.input(i));
    } else if (absl::Status status = ReadRaw(request.input_files[i], session.input(i)); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

double ElementAsNumber(const TensorView& tensor, size_t index) {
  switch (tensor.type) {
    case ElementType::kFloat32:
      return static_cast<double>(tensor.as<float>()[index]);
    case ElementType::kFloat16:
      return HalfAsNumber(tensor.as<uint16_t>()[index]);
    case ElementType::kBFloat16:
      return std::bit_cast<float>(static_cast<uint32_t>(tensor.as<uint16_t>()[index]) << 16);
    case ElementType::kFloat64:
      return tensor.as<double>()[index];
    case ElementType::kInt8:
      return tensor.as<int8_t>()[index];
    case ElementType::kInt16:
      return tensor.as<int16_t>()[index];
    case ElementType::kUInt16:
      return tensor.as<uint16_t>()[index];
    case ElementType::kInt32:
      return tensor.as<int32_t>()[index];
    case ElementType::kUInt32:
      return tensor.as<uint32_t>()[index];
    case ElementType::kInt64:
      return static_cast<double>(tensor.as<int64_t>()[index]);
    case ElementType::kUInt64:
      return static_cast<double>(tensor.as<uint64_t>()[index]);
    default:
      return tensor.as<uint8_t>()[index];
  }
}

size_t ElementCountOf(const TensorView& tensor) {
  const size_t size = ElementSize(tensor.type);
  return size == 0 ? 0 : tensor.bytes / size;
}

}  // namespace qlite::cli
