#include "model_io/check_export.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/error_site.h"
#include "core/random_input.h"
#include "core/str_cat.h"
#include "qlite/session.h"

namespace qlite {
namespace {

absl::Status FillInputs(Session& session, const DataSet* data, int sample, std::mt19937& generator) {
  std::vector<MutableTensorView> inputs;
  for (size_t i = 0; i < session.input_count(); ++i) inputs.push_back(session.input(i));
  if (data != nullptr) return data->Read(sample, inputs);
  for (const MutableTensorView& input : inputs) FillRandom(generator, input);
  return absl::OkStatus();
}

// The norm of the difference over the norm of the original; infinite where only one of them is finite.
double RelativeError(std::span<const float> original, std::span<const float> other) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < original.size(); ++i) {
    const double a = original[i], b = other[i];
    if (std::memcmp(&original[i], &other[i], sizeof(float)) == 0) {
      if (std::isfinite(a)) norm += a * a;
      continue;
    }
    difference += (a - b) * (a - b);
    norm += a * a;
  }
  if (difference == 0) return 0;
  return std::isfinite(difference) && norm > 0 ? std::sqrt(difference / norm) : HUGE_VAL;
}

struct Input {
  std::string name;
  size_t bytes = 0;
};

struct Output {
  std::string name;
  ElementType type;
  std::vector<std::byte> bytes;
};

// What the original graph gives. Copies, so that two sessions with all their weights never live together.
struct Expected {
  std::vector<Input> inputs;
  size_t outputs_of_sample = 0;
  std::vector<Output> outputs;  // of all samples, one after the other
};

absl::Status RunSamples(Session& session, const DataSet* data, int samples,
                        absl::FunctionRef<absl::Status(const Session&)> visit) {
  std::mt19937 generator(20260101);
  for (int sample = 0; sample < samples; ++sample) {
    if (absl::Status status = FillInputs(session, data, sample, generator); !status.ok()) return status;
    if (absl::Status status = session.Run(); !status.ok()) return status;
    if (absl::Status status = visit(session); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Integer weights stay integers, in either session: with them decoded and packed, the check would take more memory than
// the quantization.
absl::StatusOr<std::unique_ptr<Session>> MakeSession(const Context& context, const Graph& graph) {
  SessionOptions options;
  options.weight_decoding = WeightDecoding::kOnTheFly;
  return Session::Create(context, graph, options);
}

absl::StatusOr<Expected> RunOriginal(const Context& context, const Graph& graph, const DataSet* data, int samples) {
  const auto session = MakeSession(context, graph);
  if (!session.ok()) return session.status();
  Expected expected;
  for (size_t i = 0; i < (*session)->input_count(); ++i) {
    expected.inputs.push_back({.name = (*session)->input_name(i), .bytes = (*session)->input(i).bytes});
  }
  expected.outputs_of_sample = (*session)->output_count();
  const absl::Status status = RunSamples(**session, data, samples, [&](const Session& run) {
    for (size_t i = 0; i < run.output_count(); ++i) {
      const TensorView view = run.output(i);
      const auto* begin = static_cast<const std::byte*>(view.data);
      expected.outputs.push_back({run.output_name(i), view.type, {begin, begin + view.bytes}});
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return expected;
}

absl::Status CheckSameInputs(const Expected& expected, Session& session) {
  if (session.input_count() != expected.inputs.size() || session.output_count() != expected.outputs_of_sample) {
    return absl::InternalError("the written file has another number of inputs or outputs");
  }
  for (size_t i = 0; i < session.input_count(); ++i) {
    const auto& [name, bytes] = expected.inputs[i];
    if (session.input(i).bytes == bytes) continue;
    return AtValue(absl::InternalError(StrCat("input '", name, "' of the written file has another size")), name);
  }
  return absl::OkStatus();
}

absl::Status CompareOutput(const Output& original, const TensorView& other, bool exact) {
  const auto& [name, type, bytes] = original;
  if (type != other.type || bytes.size() != other.bytes) {
    return AtValue(absl::InternalError(StrCat("output '", name, "' of the written file has another type or size: ",
                                              ElementTypeName(other.type), ", ", other.bytes, " bytes; expected ",
                                              ElementTypeName(type), ", ", bytes.size())),
                   name);
  }
  if (bytes.empty() || std::memcmp(bytes.data(), other.data, bytes.size()) == 0) return absl::OkStatus();
  constexpr double kTolerance = 1e-3;
  const bool comparable = !exact && type == ElementType::kFloat32;
  const std::span floats(reinterpret_cast<const float*>(bytes.data()), comparable ? bytes.size() / sizeof(float) : 0);
  const double error = comparable ? RelativeError(floats, other.as<float>()) : HUGE_VAL;
  if (error <= kTolerance) return absl::OkStatus();
  return AtValue(absl::InternalError(StrCat("output '", name, "' of the written file differs from the graph's",
                                            comparable ? StrCat(" by a relative error of ", error) : std::string(),
                                            "; the file was not kept")),
                 name);
}

absl::Status Differs(std::string_view kind, const std::string& name, std::string_view what) {
  return absl::InternalError(
      StrCat(kind, " '", name, "' of the written file has another ", what, "; the file was not kept"));
}

absl::Status CompareValue(const Value& a, const Value& b) {
  if (a.name != b.name) return Differs("value", a.name, "name");
  if (a.type != b.type || a.shape != b.shape) return Differs("value", a.name, "type or shape");
  if (a.quant != b.quant) return Differs("value", a.name, "quantization");
  if (a.producer != b.producer || a.constant != b.constant) return Differs("value", a.name, "producer or data");
  return absl::OkStatus();
}

absl::Status CompareNode(const Node& a, const Node& b) {
  if (a.name != b.name || a.op != b.op) return Differs("node", a.name, "name or operator");
  if (a.attrs != b.attrs) return Differs("node", a.name, "attribute");
  if (a.inputs != b.inputs || a.outputs != b.outputs) return Differs("node", a.name, "input or output");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSameGraph(const Graph& original, const Graph& read_back) {
  Graph a = original, b = read_back;
  a.Compact();
  b.Compact();
  if (a.value_slots() != b.value_slots() || a.node_slots() != b.node_slots()) {
    return absl::InternalError("the written file has another number of values or nodes; the file was not kept");
  }
  for (int32_t i = 0; i < static_cast<int32_t>(a.value_slots()); ++i) {
    if (absl::Status status = CompareValue(a.value(ValueId{i}), b.value(ValueId{i})); !status.ok()) return status;
  }
  for (int32_t i = 0; i < static_cast<int32_t>(a.node_slots()); ++i) {
    if (absl::Status status = CompareNode(a.node(NodeId{i}), b.node(NodeId{i})); !status.ok()) return status;
  }
  const bool same_border = std::ranges::equal(a.inputs(), b.inputs()) && std::ranges::equal(a.outputs(), b.outputs());
  return same_border ? absl::OkStatus()
                     : absl::InternalError("the written file has other inputs or outputs; the file was not kept");
}

absl::Status CheckSameResults(const Context& context, const Graph& original, const Graph& read_back,
                              const DataSet* data, int samples, bool exact) {
  if (data != nullptr) samples = static_cast<int>(std::min<int64_t>(samples, data->size()));
  const absl::StatusOr<Expected> expected = RunOriginal(context, original, data, samples);
  if (!expected.ok()) return expected.status();
  auto session = MakeSession(context, read_back);
  if (!session.ok()) return session.status();
  if (absl::Status status = CheckSameInputs(*expected, **session); !status.ok()) return status;
  auto output = expected->outputs.begin();
  return RunSamples(**session, data, samples, [&](const Session& run) {
    for (size_t i = 0; i < run.output_count(); ++i, ++output) {
      if (absl::Status status = CompareOutput(*output, run.output(i), exact); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

}  // namespace qlite
