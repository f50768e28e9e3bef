// The configuration file in sections.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include "common/config_values.h"
#include "common/text.h"
#include "convert/converter_config.h"

namespace qlite::cli {
namespace {

constexpr int64_t kMaxFilter = 65535;

constexpr int64_t kDefaultLeastChannels = 16;

// What the checks across keys and sections need beside the request. The options of both kinds of quantization are
// filled in, whichever is asked for.
struct ConfigState {
  ConvertRequest& request;
  int64_t bit_num = 8;
  bool bit_num_given = false;
  int64_t least_elements = 0, least_channels = kDefaultLeastChannels;
  bool least_channels_given = false;
  bool encode = true, encode_given = false;
  std::vector<std::string> skip_nodes = {};
};

using Key = ConfigKey<ConfigState>;

absl::Status ReadQuantType(const ConfigEntry& entry, ConfigState& state) {
  if (entry.value() == "FULL_QUANT") {
    state.request.quant_type = QuantType::kFull;
    return absl::OkStatus();
  }
  if (entry.value() == "WEIGHT_QUANT") {
    state.request.quant_type = QuantType::kWeight;
    return absl::OkStatus();
  }
  if (entry.value() == "DYNAMIC_QUANT") return entry.NotYet("this kind of quantization");
  return entry.Illegal("must be WEIGHT_QUANT|FULL_QUANT|DYNAMIC_QUANT.");
}

absl::Status ReadBitNum(const ConfigEntry& entry, ConfigState& state) {
  state.bit_num_given = true;
  absl::Status status = ReadInteger(entry, 0, 16, state.bit_num);
  return status.ok() ? status : entry.Illegal("should be [0,16].");
}

absl::Status ReadSkipNodes(const ConfigEntry& entry, ConfigState& state) {
  for (const std::string& name : Split(entry.value(), ',')) {
    if (!Trim(name).empty()) state.skip_nodes.emplace_back(Trim(name));
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
     [](const ConfigEntry& e, ConfigState& s) { return ReadInteger(e, 0, kMaxFilter, s.least_elements); }},
    {"min_quant_weight_channel",
     [](const ConfigEntry& e, ConfigState& s) {
       s.least_channels_given = true;
       return ReadInteger(e, 0, kMaxFilter, s.least_channels);
     }},
    {"skip_quant_node", ReadSkipNodes},
    {"debug_info_save_path", ReadReportFolder},
    {"debug_info_times", [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.report_times); }},
    {"enable_encode",
     [](const ConfigEntry& e, ConfigState& s) {
       s.encode_given = true;
       return ReadBool(e, s.encode);
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

absl::Status ReadDequantStrategy(const ConfigEntry& entry, ConfigState& state) {
  state.request.on_the_fly = entry.value() == "ON_THE_FLY";
  if (entry.value().empty() || state.request.on_the_fly) return absl::OkStatus();
  return entry.Illegal("must be ON_THE_FLY.");
}

absl::Status ReadQuantStrategy(const ConfigEntry& entry, ConfigState& state) {
  return ReadWord<WeightRounding>(entry, {{"MAX_MIN", WeightRounding::kAutomatic}, {"GPTQ", WeightRounding::kGptq}},
                                  state.request.weights.rounding);
}

absl::Status ReadRangeSearch(const ConfigEntry& entry, ConfigState& state) {
  bool search = false;
  if (absl::Status status = ReadBool(entry, search); !status.ok()) return status;
  state.request.weights.range_search = search;
  return absl::OkStatus();
}

absl::Status ReadMaxSegments(const ConfigEntry& entry, ConfigState& state) {
  int64_t segments = 0;
  if (absl::Status status = ReadInteger(entry, 1, std::numeric_limits<int32_t>::max(), segments); !status.ok()) {
    return status;
  }
  state.request.notices.push_back("max_segments has no effect: streams are cut by size, for any number of threads");
  return absl::OkStatus();
}

absl::Status ReadUpdateMindir(const ConfigEntry& entry, ConfigState& state) {
  bool update = false;
  if (absl::Status status = ReadBool(entry, update); !status.ok()) return status;
  state.request.notices.push_back("update_mindir has no effect: no MINDIR file is written");
  return absl::OkStatus();
}

absl::Status ReadBlockSize(const ConfigEntry& entry, ConfigState& state) {
  const absl::Status status = ReadInteger(entry, 0, 256, state.request.weights.block_size);
  const std::vector<int64_t> allowed = {0, 16, 32, 64, 128, 256};
  const bool known = std::find(allowed.begin(), allowed.end(), state.request.weights.block_size) != allowed.end();
  return status.ok() && known ? status : entry.Illegal("must be 0|16|32|64|128|256.");
}

const Key kWeightKeys[] = {
    {"dequant_strategy", ReadDequantStrategy},
    {"per_channel", [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.weights.per_channel); }},
    {"bias_correction",
     [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.weights.bias_correction); }},
    {"quant_strategy", ReadQuantStrategy},
    {"range_search", ReadRangeSearch},
    {"block_size", ReadBlockSize},
    {"max_segments", ReadMaxSegments},
    {"update_mindir", ReadUpdateMindir},
};

absl::Status ReadShare(const ConfigEntry& entry, double& out) {
  const std::optional<double> value = ParseNumber(entry.value());
  if (!value || !(*value > 0 && *value < 1)) return entry.Illegal("should at (0,1)");
  out = *value;
  return absl::OkStatus();
}

absl::Status ReadMaxIterations(const ConfigEntry& entry, ConfigState& state) {
  int64_t iterations = 0;
  const absl::Status status = ReadInteger(entry, 40, kMaxFilter, iterations);
  state.request.weights.max_iterations = static_cast<int>(iterations);
  return status;
}

absl::Status ReadUseCvData(const ConfigEntry& entry, ConfigState&) {
  bool use = false;
  if (absl::Status status = ReadBool(entry, use); !status.ok()) return status;
  return use ? entry.NotYet("a set of built-in photos") : absl::OkStatus();
}

const Key kMixedKeys[] = {
    {"init_scale", [](const ConfigEntry& e, ConfigState& s) { return ReadShare(e, s.request.weights.mixed_error); }},
    {"auto_tune", [](const ConfigEntry& e, ConfigState& s) { return ReadBool(e, s.request.weights.auto_tune); }},
    {"cosine_target",
     [](const ConfigEntry& e, ConfigState& s) { return ReadShare(e, s.request.weights.cosine_target); }},
    {"max_iterations", ReadMaxIterations},
    {"use_cv_data", ReadUseCvData},
};

// Sections of other features, and what they are for.
struct OtherSection {
  std::string_view name, feature;
  bool harmless;  // nothing to do with quantization: accepted with a notice
};
constexpr OtherSection kOtherSections[] = {
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
  if (section.name == "weight_quant_param") return ApplySection(kWeightKeys, section, path, state);
  if (section.name == "mixed_bit_weight_quant_param") return ApplySection(kMixedKeys, section, path, state);
  if (section.name == "data_preprocess_param") return ReadDataSection(section, path, state.request.data);
  if (section.name == "transform_quant_param") return ApplySection(kTransformKeys, section, path, state);
  const std::string where = Join({path, ":", std::to_string(section.line), ": "});
  std::vector<std::string> known = {"common_quant_param",           "full_quant_param",      "weight_quant_param",
                                    "mixed_bit_weight_quant_param", "data_preprocess_param", "transform_quant_param"};
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

absl::Status CheckData(const DataRequest& data, const std::string& path) {
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

absl::Status FinishFullQuant(const ConfigState& state, const std::string& path) {
  if (state.bit_num != 8) {
    return absl::InvalidArgumentError(
        Join({path, ": INPUT ILLEGAL: bit_num should be 8. (found ", std::to_string(state.bit_num), ")"}));
  }
  ConvertRequest& request = state.request;
  request.quantizer.min_weight_elements = state.least_elements;
  request.quantizer.skip_nodes = state.skip_nodes;
  if (state.least_channels_given) {
    request.notices.push_back("min_quant_weight_channel belongs to weight quantization and has no effect");
  }
  if (state.encode_given) request.notices.push_back("enable_encode has no effect on full quantization");
  return CheckData(request.data, path);
}

absl::Status FinishWeightQuant(const ConfigState& state, const std::string& path) {
  if (!state.encode && state.bit_num != 8 && state.bit_num != 16) {
    return absl::InvalidArgumentError(Join({path, ": INPUT ILLEGAL: enable_encode should be true when parameter ",
                                            "bit_num belongs to [0,7] or [9,15]."}));
  }
  state.request.encode_weights = state.encode;
  if (state.request.on_the_fly && state.encode_given && state.encode) {
    state.request.notices.push_back("enable_encode has no effect with ON_THE_FLY: weights are stored as they are used");
  }
  WeightQuantizerOptions& options = state.request.weights;
  options.bits = static_cast<int>(state.bit_num);
  options.min_weight_elements = state.least_elements;
  options.min_weight_channels = state.least_channels;
  options.skip_nodes = state.skip_nodes;
  if (options.block_size > 0 && state.bit_num != 2 && state.bit_num != 3 && state.bit_num != 4 && state.bit_num != 8) {
    return absl::InvalidArgumentError(Join({path, ": INPUT ILLEGAL: bit_num should be 2|3|4|8 with block_size. (found ",
                                            std::to_string(state.bit_num), ")"}));
  }
  if (options.block_size > 0 && !options.per_channel) {
    return absl::InvalidArgumentError(Join({path, ": INPUT ILLEGAL: block_size needs per_channel=true."}));
  }
  if (state.bit_num == 0 && options.rounding == WeightRounding::kGptq) {
    return absl::InvalidArgumentError(
        Join({path, ": INPUT ILLEGAL: quant_strategy=GPTQ needs a bit_num of [1,16]. (found 0)"}));
  }
  const bool needs_data = options.rounding == WeightRounding::kGptq;
  return state.request.data.folders.empty() && !needs_data ? absl::OkStatus() : CheckData(state.request.data, path);
}

}  // namespace

absl::Status ApplySectionedConfig(std::string_view text, const std::string& path, ConvertRequest& request) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, path);
  if (!sections.ok()) return sections.status();
  ConfigState state{request};
  for (const IniSection& section : *sections) {
    if (absl::Status status = ApplyOne(section, path, state); !status.ok()) return status;
  }
  if (request.quant_type == QuantType::kFull) return FinishFullQuant(state, path);
  if (request.quant_type == QuantType::kWeight) return FinishWeightQuant(state, path);
  if (state.bit_num_given || !request.data.folders.empty() || !request.report_folder.empty()) {
    return absl::InvalidArgumentError(
        Join({path, ": it describes a quantization, but quant_type in [common_quant_param] is not given; write ",
              "quant_type=FULL_QUANT or quant_type=WEIGHT_QUANT"}));
  }
  return absl::OkStatus();
}

}  // namespace qlite::cli
