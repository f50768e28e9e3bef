#include "calib/standardize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calib/byte_stream.h"
#include "calib/exact_sum.h"
#include "core/status_macros.h"

namespace qlite::calib {
namespace {

// Sums over all samples of one channel. A sample adds its own sums, taken in memory order in double and rounded once to
// float, so that the order of samples does not matter.
struct ChannelSums {
  ExactSum values, squares;
};

struct InputSums {
  std::vector<ChannelSums> channels;  // none for an input that is not float32
  uint64_t count = 0;                 // elements of each channel seen
};

// A float32 tensor as runs of one channel: index -> channel (index / inner) % channels.
struct ChannelLayout {
  int64_t channels = 1, inner = 1;

  explicit ChannelLayout(std::span<const int64_t> dims) {
    if (dims.size() >= 2) channels = dims[1];
    for (size_t i = dims.size() >= 2 ? 2 : 0; i < dims.size(); ++i) inner *= dims[i];
  }
};

float Rounded(double sum) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(sum, -kMost, kMost));
}

class Standardize : public Preprocessor {
 public:
  absl::Status Observe(std::span<const MutableTensorView> inputs) override {
    if (inputs_.empty()) inputs_.resize(inputs.size());
    if (inputs.size() != inputs_.size()) return OtherInputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].type != ElementType::kFloat32) continue;
      QLITE_RETURN_IF_ERROR(ObserveInput(inputs[i], inputs_[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Merge(const Preprocessor& other) override {
    const auto* same = dynamic_cast<const Standardize*>(&other);
    if (same == nullptr) return absl::InvalidArgumentError("preprocessing steps of different kinds cannot be merged");
    if (same->inputs_.empty()) return absl::OkStatus();
    if (inputs_.empty()) inputs_.resize(same->inputs_.size());
    if (inputs_.size() != same->inputs_.size()) return OtherInputs();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const InputSums& from = same->inputs_[i];
      if (from.count == 0) continue;
      InputSums& into = inputs_[i];
      if (into.count == 0) into.channels.resize(from.channels.size());
      if (into.channels.size() != from.channels.size()) return OtherInputs();
      for (size_t c = 0; c < from.channels.size(); ++c) {
        into.channels[c].values.Add(from.channels[c].values);
        into.channels[c].squares.Add(from.channels[c].squares);
      }
      into.count += from.count;
    }
    return absl::OkStatus();
  }

  absl::Status Apply(std::span<const MutableTensorView> inputs) const override {
    if (inputs_.empty()) return absl::FailedPreconditionError("STANDARDIZE has not learnt from any sample");
    if (inputs.size() != inputs_.size()) return OtherInputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs_[i].count == 0) continue;
      if (inputs[i].type != ElementType::kFloat32) return OtherInputs();
      QLITE_RETURN_IF_ERROR(ApplyTo(inputs[i], inputs_[i]));
    }
    return absl::OkStatus();
  }

  std::string Save() const override {
    ByteWriter out;
    out.Varint(inputs_.size());
    for (const InputSums& input : inputs_) {
      out.Varint(input.channels.size());
      out.Varint(input.count);
      for (const ChannelSums& channel : input.channels) {
        channel.values.Save(&out);
        channel.squares.Save(&out);
      }
    }
    return out.Take();
  }

  absl::Status Load(std::string_view bytes) override {
    ByteReader in(bytes);
    // A count beyond the bytes there are is a fault, found before memory is taken for it.
    const auto read_count = [&in, &bytes] { return std::min<uint64_t>(in.Varint(), bytes.size()); };
    std::vector<InputSums> inputs(read_count());
    for (InputSums& input : inputs) {
      input.channels.resize(read_count());
      input.count = in.Varint();
      for (ChannelSums& channel : input.channels) {
        channel.values.Load(&in);
        channel.squares.Load(&in);
      }
      if (input.channels.empty() != (input.count == 0)) return Damaged();
    }
    if (!in.Done()) return Damaged();
    inputs_ = std::move(inputs);
    return absl::OkStatus();
  }

 private:
  static absl::Status OtherInputs() {
    return absl::InvalidArgumentError("STANDARDIZE has learnt from samples of other inputs than these");
  }
  static absl::Status Damaged() { return absl::DataLossError("the saved state of STANDARDIZE is damaged"); }

  static absl::Status ObserveInput(const MutableTensorView& input, InputSums& sums) {
    const ChannelLayout layout(input.dims);
    const std::span<const float> values = input.as<float>();
    if (values.empty()) return absl::OkStatus();
    if (sums.count == 0) sums.channels.resize(static_cast<size_t>(layout.channels));
    if (sums.channels.size() != static_cast<size_t>(layout.channels)) return OtherInputs();
    std::vector<double> sum(sums.channels.size()), squares(sums.channels.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = i / static_cast<size_t>(layout.inner) % sum.size();
      sum[c] += values[i];
      squares[c] += static_cast<double>(values[i]) * values[i];
    }
    for (size_t c = 0; c < sum.size(); ++c) {
      if (!std::isfinite(sum[c])) return absl::FailedPreconditionError("a sample holds infinite values or NaN");
      sums.channels[c].values.Add(Rounded(sum[c]));
      sums.channels[c].squares.Add(Rounded(squares[c]));
    }
    sums.count += values.size() / sum.size();
    return absl::OkStatus();
  }

  static absl::Status ApplyTo(const MutableTensorView& input, const InputSums& sums) {
    const ChannelLayout layout(input.dims);
    if (sums.channels.size() != static_cast<size_t>(layout.channels)) return OtherInputs();
    std::vector<float> mean, deviation;
    for (const ChannelSums& channel : sums.channels) {
      const double m = channel.values.Mean(sums.count);
      const double variance = channel.squares.Mean(sums.count) - m * m;
      mean.push_back(static_cast<float>(m));
      deviation.push_back(variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1.0f);
    }
    const std::span<float> values = input.as<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t c = i / static_cast<size_t>(layout.inner) % mean.size();
      values[i] = (values[i] - mean[c]) / deviation[c];
    }
    return absl::OkStatus();
  }

  std::vector<InputSums> inputs_;
};

}  // namespace

std::unique_ptr<Preprocessor> MakeStandardize() { return std::make_unique<Standardize>(); }

}  // namespace qlite::calib
