#include "tuning/output_comparer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <utility>

#include "calib/sample_loop.h"
#include "calib/worker_sessions.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "passes/sampled_data_set.h"

namespace qlite::tuning {
namespace {

// Of one sample: sums over its outputs.
struct SampleLoss {
  double signal = 0, noise = 0, cosines = 0;
  int64_t outputs = 0, rows = 0, same_rows = 0;
  bool same_shape = true;
};

double CosineOf(double dot, double a, double b) {
  if (a == 0 && b == 0) return 1;
  const double cosine = dot / (std::sqrt(a) * std::sqrt(b));
  return std::isfinite(cosine) ? cosine : 0;
}

void AddOutput(std::span<const float> a, std::span<const float> b, int64_t row, SampleLoss& loss) {
  double dot = 0, energy_a = 0, energy_b = 0, noise = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y, energy_a += x * x, energy_b += y * y, noise += (x - y) * (x - y);
  }
  loss.signal += energy_a;
  loss.noise += noise;
  loss.cosines += noise == 0 ? 1 : CosineOf(dot, energy_a, energy_b);
  ++loss.outputs;
  const auto length = static_cast<std::ptrdiff_t>(row);
  for (auto p = a.begin(), q = b.begin(); length > 0 && p != a.end(); p += length, q += length) {
    ++loss.rows;
    loss.same_rows += std::max_element(p, p + length) - p == std::max_element(q, q + length) - q ? 1 : 0;
  }
}

}  // namespace

absl::StatusOr<OutputComparer> OutputComparer::Create(const Context& context, const Graph& original,
                                                      const DataSet& data, int64_t samples, std::string stage) {
  if (data.size() == 0) return absl::InvalidArgumentError("outputs are compared on samples, but there are none");
  if (samples < 0) return absl::InvalidArgumentError(StrCat("samples: expected 0 or more, found ", samples));
  OutputComparer comparer(context, data, samples == 0 ? data.size() : std::min(samples, data.size()), std::move(stage));
  comparer.reference_.resize(static_cast<size_t>(comparer.samples_));
  QLITE_RETURN_IF_ERROR(comparer.RunAll(original, [&](size_t sample, const Session& session) {
    for (size_t i = 0; i < session.output_count(); ++i) {
      const TensorView view = session.output(i);
      Output output;
      if (view.type == ElementType::kFloat32) {
        output.elements.assign(view.as<float>().begin(), view.as<float>().end());
        output.row = view.dims.empty() ? 1 : view.dims.back();
      }
      comparer.reference_[sample].push_back(std::move(output));
    }
  }));
  return comparer;
}

absl::Status OutputComparer::RunAll(const Graph& graph,
                                    absl::FunctionRef<void(size_t sample, const Session&)> see) const {
  const SampledDataSet some(*data_, samples_);
  const auto made =
      calib::MakeWorkerSessions(context_, graph, std::min<int64_t>(context_.executor().concurrency(), samples_));
  if (!made.ok()) return made.status();
  const std::vector<std::unique_ptr<Session>>& sessions = *made;
  const calib::SamplesTaken taken = calib::TakeSamples(context_, stage_, some, 0, samples_, sessions.size(),
                                                       [&](size_t worker, int64_t sample) -> absl::Status {
                                                         Session& session = *sessions[worker];
                                                         std::vector<MutableTensorView> inputs;
                                                         for (size_t i = 0; i < session.input_count(); ++i)
                                                           inputs.push_back(session.input(i));
                                                         QLITE_RETURN_IF_ERROR(some.Read(sample, inputs));
                                                         QLITE_RETURN_IF_ERROR(session.Run());
                                                         see(static_cast<size_t>(sample), session);
                                                         return absl::OkStatus();
                                                       });
  return taken.error.ok() ? taken.stopped : taken.error;
}

absl::StatusOr<OutputLoss> OutputComparer::Compare(const Graph& changed) const {
  std::vector<SampleLoss> losses(reference_.size());
  QLITE_RETURN_IF_ERROR(RunAll(changed, [&](size_t sample, const Session& session) {
    SampleLoss& loss = losses[sample];
    const SampleOutputs& reference = reference_[sample];
    loss.same_shape = session.output_count() == reference.size();
    for (size_t i = 0; loss.same_shape && i < reference.size(); ++i) {
      if (reference[i].elements.empty()) continue;
      const TensorView view = session.output(i);
      loss.same_shape =
          view.type == ElementType::kFloat32 && view.bytes == reference[i].elements.size() * sizeof(float);
      if (loss.same_shape) AddOutput(reference[i].elements, view.as<float>(), reference[i].row, loss);
    }
  }));
  SampleLoss total;
  for (const SampleLoss& loss : losses) {
    if (!loss.same_shape) return absl::InvalidArgumentError("the two graphs have different outputs");
    total.signal += loss.signal, total.noise += loss.noise, total.cosines += loss.cosines;
    total.outputs += loss.outputs, total.rows += loss.rows, total.same_rows += loss.same_rows;
  }
  if (total.outputs == 0) return absl::InvalidArgumentError("the network has no float32 output to compare");
  OutputLoss result;
  result.cosine = total.cosines / static_cast<double>(total.outputs);
  if (total.noise != 0) result.snr_db = 10 * std::log10(total.signal / total.noise);
  if (std::isnan(result.snr_db)) result.snr_db = -std::numeric_limits<double>::infinity();
  if (total.rows > 0) result.top1 = static_cast<double>(total.same_rows) / static_cast<double>(total.rows);
  return result;
}

}  // namespace qlite::tuning

namespace qlite {

absl::StatusOr<OutputLoss> CompareOutputs(const Context& context, const Graph& original, const Graph& changed,
                                          const DataSet& data, int64_t samples) {
  const absl::StatusOr<tuning::OutputComparer> comparer =
      tuning::OutputComparer::Create(context, original, data, samples, "compare outputs");
  if (!comparer.ok()) return comparer.status();
  return comparer->Compare(changed);
}

}  // namespace qlite
