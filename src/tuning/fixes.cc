#include "tuning/fixes.h"

#include <algorithm>
#include <utility>

#include "core/str_cat.h"

namespace qlite::tuning {
namespace {

template <class Options>
class FixList {
 public:
  explicit FixList(const Options& options) : options_(options) {}

  // Of the changes from here on.
  void Expect(double gain_db) { expected_db_ = gain_db; }

  template <class Value>
  void Set(Value Options::*field, const Value& value, std::string name) {
    if (options_.*field == value) return;
    const auto same = [&](const Fix<Options>& fix) { return fix.name == name; };
    if (std::any_of(fixes_.begin(), fixes_.end(), same)) return;
    fixes_.push_back({std::move(name), options_, expected_db_});
    fixes_.back().options.*field = value;
  }

  std::vector<Fix<Options>> Take() { return std::move(fixes_); }

 private:
  const Options& options_;
  double expected_db_ = 0;
  std::vector<Fix<Options>> fixes_;
};

void SetMethod(const char* method, FixList<QuantizerOptions>& fixes) {
  fixes.Set(&QuantizerOptions::activation_method, std::string(method), StrCat("activation_quant_method=", method));
}

}  // namespace

std::vector<Fix<QuantizerOptions>> FixesFor(const std::vector<Finding>& findings, const QuantizerOptions& options) {
  FixList<QuantizerOptions> fixes(options);
  for (const Finding& finding : findings) {
    fixes.Expect(finding.gain_db);
    switch (finding.remedy) {
      case Remedy::kPerChannel:
        fixes.Set(&QuantizerOptions::per_channel, true, "per_channel=true");
        break;
      case Remedy::kEqualize:
        fixes.Set(&QuantizerOptions::equalization, true, "equalization=true");
        break;
      case Remedy::kRemoveOutliers:
      case Remedy::kCheckSamples:
        SetMethod("KL", fixes);
        SetMethod("REMOVAL_OUTLIER", fixes);
        break;
      case Remedy::kFullRange:
        SetMethod("MAX_MIN", fixes);
        break;
      case Remedy::kAsymmetric:  // activations are asymmetric already
      case Remedy::kKeepFloat:   // by the measured sensitivity, afterwards
        break;
    }
  }
  fixes.Expect(0);
  fixes.Set(&QuantizerOptions::per_channel, true, "per_channel=true");
  fixes.Set(&QuantizerOptions::bias_correction, true, "bias_correction=true");
  fixes.Set(&QuantizerOptions::equalization, true, "equalization=true");
  SetMethod("KL", fixes);
  SetMethod("REMOVAL_OUTLIER", fixes);
  SetMethod("MAX_MIN", fixes);
  return fixes.Take();
}

std::vector<Fix<WeightQuantizerOptions>> FixesFor(const std::vector<Finding>& findings,
                                                  const WeightQuantizerOptions& options) {
  using Options = WeightQuantizerOptions;
  FixList<Options> fixes(options);
  for (const Finding& finding : findings) {
    fixes.Expect(finding.gain_db);
    if (finding.remedy == Remedy::kPerChannel && options.bits > 0) {
      fixes.Set(&Options::per_channel, true, "per_channel=true");
    } else if (finding.remedy == Remedy::kAsymmetric) {
      fixes.Set(&Options::scheme, QuantScheme::kAsymmetric, "scheme=asymmetric");
    }
  }
  fixes.Expect(0);
  if (options.bits == 0) return fixes.Take();  // mixed bits choose by the error already
  fixes.Set(&Options::per_channel, true, "per_channel=true");
  fixes.Set(&Options::rounding, WeightRounding::kGptq, "quant_strategy=GPTQ");
  fixes.Set(&Options::range_search, std::optional<bool>(true), "range_search=true");
  fixes.Set(&Options::bias_correction, true, "bias_correction=true");
  return fixes.Take();
}

}  // namespace qlite::tuning
