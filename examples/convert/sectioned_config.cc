// The configuration file in sections.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "common/config_values.h"
#include "common/text.h"
#include "convert/converter_config.h"

namespace qlite::cli {
namespace {

constexpr int64_t kMaxFilter = 65535;

// What the checks across keys and sections need beside the request.
struct ConfigState {
  ConvertRequest& request;
  int64_t bit_num = 8;
  bool bit_num_given = false;
};

using Key = ConfigKey<ConfigState>;

absl::Status ReadQuantType(const ConfigEntry& entry, ConfigState& state) {
  if (entry.value() == "FULL_QUANT") {
    state.request.quant_type = QuantType::kFull;
    return absl::OkStatus();
  }
  if (entry.value() == "WEIGHT_QUANT" || entry.value() == "DYNAMIC_QUANT")
    return entry.NotYet("this kind of quantization");
  return entry.Illegal("must be WEIGHT_QUANT|FULL_QUANT|DYNAMIC_QUANT.");
}

absl::Status ReadBitNum(const ConfigEntry& entry, ConfigState& state) {
  state.bit_num_given = true;
  return ReadInteger(entry, 0, 16, state.bit_num);
}

absl::Status ReadSkipNodes(const ConfigEntry& entry, ConfigState& state) {
  for (const std::string& name : Split(entry.value(), ',')) {
    if (!Trim(name).empty()) state.request.quantizer.skip_nodes.emplace_back(Trim(name));
  }
  return absl::OkStatus();
}

absl::Status ReadReportFolder(const ConfigEntry& entry, ConfigState& state) {
  std::error_code error;
  if (!entry.value().empty() && !std::filesystem::is_directory(entry.value(), error)) {
    return entry.Illegal("must be an existing folder.");
  }
  state.request.report_folder = entry.value();
  return absl::OkStatus();
}

// Set where the feature is not there yet, harmless at its default.
absl::Status ReadOnlyEmpty(const ConfigEntry& entry, ConfigState&) {
  return entry.value().empty() ? absl::OkStatus() : entry.NotYet("this key");
}

const Key kCommonKeys[] = {
    {"quant_type", ReadQuantType},
    {"bit_num", ReadBitNum},
    {"min_quant_weight_size",
     [](const ConfigEntry& e, ConfigState& s) {
       return ReadInteger(e, 0, kMaxFilter, s.request.quantizer.min_weight_elements);
     }},
    {"min_quant_weight_channel",
     [](const ConfigEntry& e, ConfigState& s) {
       int64_t channels = 0;
       if (absl::Status status = ReadInteger(e, 0, kMaxFilter, channels); !status.ok()) return status;
       s.request.notices.push_back("min_quant_weight_channel belongs to weight quantization and has no effect");
       return absl::OkStatus();
     }},
    {"skip_quant_node", ReadSkipNodes},
    {"debug_info_save_path", ReadReportFolder},
    {"enable_encode",
     [](const ConfigEntry& e, ConfigState& s) {
       bool encode = false;
       if (absl::Status status = ReadBool(e, encode); !status.ok()) return status;
       s.request.notices.push_back("enable_encode has no effect on full quantization");
       return absl::OkStatus();
     }},
    {"workspace", ReadOnlyEmpty},
};

// Methods as the parser of the reference spells them, and as its documents do.
absl::Status ReadActivationMethod(const ConfigEntry& entry, ConfigState& state) {
  return ReadWord<std::string>(entry,
                               {{"MAX_MIN", "MAX_MIN"},
                                {"KL", "KL"},
                                {"REMOVAL_OUTLIER", "REMOVAL_OUTLIER"},
                                {"RemovalOutlier", "REMOVAL_OUTLIER"}},
                               state.request.quantizer.activation_method);
}

absl::Status ReadTargetDevice(const ConfigEntry& entry, ConfigState&) {
  if (entry.value() == "CPU") return absl::OkStatus();
  for (const std::string_view known : {"NVGPU", "DSP", "ASCEND", "KIRIN"}) {
    if (entry.value() == known) return entry.NotYet("this target device");
  }
  return entry.Illegal("must be CPU|NVGPU|DSP|ASCEND|KIRIN.");
}

const Key kFullKeys[] = {
    {"activation_quant_method", ReadActivationMethod},
    {"bias_correction",
     [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.quantizer.bias_correction); }},
    {"per_channel", [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.quantizer.per_channel); }},
    {"equalization",
     [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.quantizer.equalization); }},
    {"target_device", ReadTargetDevice},
    {"smooth_alpha", [](const ConfigEntry& e, ConfigState&) { return e.NotYet("SmoothQuant"); }},
    {"enable_smooth_shift", [](const ConfigEntry& e, ConfigState&) { return e.NotYet("SmoothQuant"); }},
};

absl::Status ReadExportMode(const ConfigEntry& entry, ConfigState&) {
  if (entry.value() == "QUANT") return absl::OkStatus();
  if (entry.value() == "FLOAT32") return entry.NotYet("discarding imported quantization");
  return entry.Illegal("must be QUANT|FLOAT32.");
}

const Key kTransformKeys[] = {{"export_precision_mode", ReadExportMode}};

// Sections of other features, and what they are for.
struct OtherSection {
  std::string_view name, feature;
  bool harmless;  // nothing to do with quantization: accepted with a notice
};
constexpr OtherSection kOtherSections[] = {
    {"weight_quant_param", "weight quantization", false},
    {"mixed_bit_weight_quant_param", "mixed-bit weight quantization", false},
    {"dynamic_quant_param", "dynamic quantization", false},
    {"model_param", "conversion of several models at once", false},
    {"acl_option_cfg_param", "Ascend", true},
    {"ascend_context", "Ascend", true},
    {"registry", "plug-ins", true},
    {"micro_param", "generated code", true},
    {"cpu_option_cfg_param", "a processor's options", true},
    {"graph_kernel_param", "graph kernels", true},
};

absl::Status ApplyOne(const IniSection& section, const std::string& path, ConfigState& state) {
  if (section.name == "common_quant_param") return ApplySection(kCommonKeys, section, path, state);
  if (section.name == "full_quant_param") return ApplySection(kFullKeys, section, path, state);
  if (section.name == "data_preprocess_param") return ReadDataSection(section, path, state.request.data);
  if (section.name == "transform_quant_param") return ApplySection(kTransformKeys, section, path, state);
  const std::string where = Join({path, ":", std::to_string(section.line), ": "});
  std::vector<std::string> known = {"common_quant_param", "full_quant_param", "data_preprocess_param",
                                    "transform_quant_param"};
  for (const OtherSection& other : kOtherSections) {
    if (section.name != other.name) {
      known.emplace_back(other.name);
      continue;
    }
    if (!other.harmless) {
      return absl::UnimplementedError(Join({where, "[", section.name, "]: ", other.feature, " is not supported yet"}));
    }
    state.request.notices.push_back(
        Join({where, "[", section.name, "] concerns ", other.feature, " and has no effect"}));
    return absl::OkStatus();
  }
  if (section.name.empty()) {
    return absl::InvalidArgumentError(
        Join({where, "'", section.entries.front().key,
              "' stands before any [section]; the flat form of the file goes with ", "--quantType=PostTraining"}));
  }
  return absl::InvalidArgumentError(
      Join({where, "INPUT ILLEGAL: unknown section [", section.name, "]", Suggestion(section.name, known)}));
}

absl::Status CheckFullQuant(const ConfigState& state, const std::string& path) {
  if (state.bit_num != 8) {
    return absl::InvalidArgumentError(
        Join({path, ": INPUT ILLEGAL: bit_num should be 8. (found ", std::to_string(state.bit_num), ")"}));
  }
  const DataRequest& data = state.request.data;
  if (data.folders.empty()) {
    return absl::InvalidArgumentError(
        Join({path, ": calibrate path must pass. The format is input_name_1:input_1_dir,input_name_2:input_2_dir. ",
              "(calibrate_path in [data_preprocess_param])"}));
  }
  if (data.count == 0) {
    return absl::InvalidArgumentError(Join({path, ": calibrate_size must be given, in [1,65535]"}));
  }
  if (data.kind == DataRequest::Kind::kUnset) {
    return absl::InvalidArgumentError(Join({path, ": input_type must be given: IMAGE or BIN"}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplySectionedConfig(std::string_view text, const std::string& path, ConvertRequest& request) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, path);
  if (!sections.ok()) return sections.status();
  ConfigState state{request};
  for (const IniSection& section : *sections) {
    if (absl::Status status = ApplyOne(section, path, state); !status.ok()) return status;
  }
  if (request.quant_type == QuantType::kFull) return CheckFullQuant(state, path);
  if (state.bit_num_given || !request.data.folders.empty() || !request.report_folder.empty()) {
    return absl::InvalidArgumentError(
        Join({path, ": it describes a quantization, but quant_type in [common_quant_param] is not given; write ",
              "quant_type=FULL_QUANT"}));
  }
  return absl::OkStatus();
}

}  // namespace qlite::cli
