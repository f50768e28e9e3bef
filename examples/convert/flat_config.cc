// The older, flat configuration file: "key=value" lines without sections, raw tensors alone.
#include <optional>

#include "common/config_values.h"
#include "common/text.h"
#include "convert/converter_config.h"

namespace qlite::cli {
namespace {

// What is read before it is known what it is for.
struct FlatState {
  ConvertRequest& request;
  bool mixed = false;
  double mean_error = 0.04;
  bool mean_error_given = false;
};

using Key = ConfigKey<FlatState>;

absl::Status ReadImagePath(const ConfigEntry& entry, FlatState& state) {
  for (const std::string& folder : Split(entry.value(), ',')) {
    if (Trim(folder).empty()) return entry.Illegal("has an empty folder.");
    state.request.data.folders.emplace_back(std::string(), Trim(folder));
  }
  return absl::OkStatus();
}

absl::Status ReadMethod(const ConfigEntry& entry, FlatState& state) {
  return ReadWord<std::string>(entry, {{"KL", "KL"}, {"MAX_MIN", "MAX_MIN"}, {"RemovalOutlier", "REMOVAL_OUTLIER"}},
                               state.request.quantizer.activation_method);
}

absl::Status ReadMeanError(const ConfigEntry& entry, FlatState& state) {
  const std::optional<double> threshold = ParseNumber(entry.value());
  if (!threshold || !(*threshold > 0 && *threshold <= 1)) return entry.Illegal("should be above 0 and at most 1.");
  state.mean_error = *threshold;
  state.mean_error_given = true;
  return absl::OkStatus();
}

const Key kKeys[] = {
    {"image_path", ReadImagePath},
    {"batch_count",
     [](const ConfigEntry& e, FlatState& s) {
       s.request.data.fewer_allowed = false;
       return ReadInteger(e, 1, 1 << 30, s.request.data.count);
     }},
    {"method_x", ReadMethod},
    {"thread_num", [](const ConfigEntry& e, FlatState& s) { return ReadInteger(e, 1, 1024, s.request.num_threads); }},
    {"bias_correction",
     [](const ConfigEntry& e, FlatState& s) { return ReadBool(e, s.request.quantizer.bias_correction); }},
    {"mixed", [](const ConfigEntry& e, FlatState& s) { return ReadBool(e, s.mixed); }},
    {"mean_error_threshold", ReadMeanError},
    {"input_shapes", [](const ConfigEntry& e, FlatState&) { return e.NotYet("calibration with changing shapes"); }},
};

// mixed=true is what the file is for with weights, and has no place in the other quantization.
absl::Status ApplyMixed(const FlatState& state, const std::string& path) {
  ConvertRequest& request = state.request;
  const bool weights = request.quant_type == QuantType::kWeight;
  if (state.mixed != weights) {
    return absl::InvalidArgumentError(
        Join({path, weights ? ": INPUT ILLEGAL: with --quantType=WeightQuant the file is for mixed=true"
                            : ": INPUT ILLEGAL: mixed=true belongs to --quantType=WeightQuant"}));
  }
  if (weights) {
    request.weights.width_error = state.mean_error;
  } else if (state.mean_error_given) {
    request.notices.push_back("mean_error_threshold belongs to mixed=true and has no effect");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyFlatConfig(std::string_view text, const std::string& path, ConvertRequest& request) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, path);
  if (!sections.ok()) return sections.status();
  request.quantizer.activation_method = "KL";
  request.quantizer.bias_correction = false;
  request.data.kind = DataRequest::Kind::kRaw;
  request.data.count = 100;
  request.data.fewer_allowed = true;  // of the default number
  FlatState state{request};
  for (const IniSection& section : *sections) {
    if (!section.name.empty()) {
      return absl::InvalidArgumentError(Join({path, ":", std::to_string(section.line), ": section [", section.name,
                                              "] in a flat file; without --quantType the sectioned form is read"}));
    }
    if (absl::Status status = ApplySection(kKeys, section, path, state); !status.ok()) return status;
  }
  if (request.data.folders.empty()) {
    return absl::InvalidArgumentError(
        Join({path, ": image_path must be given: a folder of raw tensors for each input"}));
  }
  return ApplyMixed(state, path);
}

}  // namespace qlite::cli
