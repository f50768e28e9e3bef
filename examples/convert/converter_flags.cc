#include "convert/converter_flags.h"

#include <algorithm>
#include <filesystem>

#include "common/flag_parser.h"
#include "common/ini_file.h"
#include "common/input_shape.h"
#include "common/text.h"
#include "convert/converter_config.h"

namespace qlite::cli {
namespace {

// The values as they stand on the command line.
struct ConverterFlags {
  std::string fmk, model_file, output_file, weight_file, config_file, quant_type, output_format;
  std::string input_shape, input_data_format, output_data_format, input_data_type = "DEFAULT",
                                                                  output_data_type = "DEFAULT";
  std::string fp16 = "off", encryption = "false", encrypt_key, decrypt_key, decrypt_mode = "AES-GCM", infer = "false";
  std::string save_type, optimize = "general", optimize_transformer = "false", device, train_model = "false";
  std::string activation_type = "UINT8", calibration_file, max_loss, auto_fix = "false", sensitivity = "false";
  int64_t bit_num = 8, quant_weight_size = 0, quant_weight_channel = 16, num_threads = 0, memory_limit = 0;
};

FlagParser MakeParser(ConverterFlags& f) {
  FlagParser p("qlite_convert", "Converts a model and quantizes it.");
  p.Group("Model");
  p.Add("fmk", &f.fmk, "NAME", "format of the model: ONNX, or QLITE for our own (required)");
  p.Add("modelFile", &f.model_file, "PATH", "the model (required)");
  p.Add("outputFile", &f.output_file, "PATH", "the file to write; its extension chooses the format (required)");
  p.Add("outputFormat", &f.output_format, "NAME", "qlite or onnx, whatever the extension (default qlite)");
  p.Add("inputShape", &f.input_shape, "SHAPES", "fixes dimensions of inputs: name:1,3,224,224;name2:...");
  p.Add("weightFile", &f.weight_file, "PATH", "weights of a CAFFE model (not supported yet)");
  p.Group("Quantization");
  p.Add("configFile", &f.config_file, "PATH",
        "sections [common_quant_param], [full_quant_param], [weight_quant_param], [data_preprocess_param]");
  p.Add("quantType", &f.quant_type, "NAME", "older form: WeightQuant, or PostTraining (with a flat configFile)");
  p.Add("bitNum", &f.bit_num, "N", "older form: 1..16 for WeightQuant, 8 for PostTraining (default 8)");
  p.Add("quantWeightSize", &f.quant_weight_size, "N", "WeightQuant: fewer weights stay float (default 0)");
  p.Add("quantWeightChannel", &f.quant_weight_channel, "N",
        "WeightQuant: convolutions of so many output channels or fewer stay float (default 16)");
  p.Add("fp16", &f.fp16, "SWITCH", "on: store weights that stay float as float16; bf16: as bfloat16 (default off)");
  p.Add("activationType", &f.activation_type, "NAME", "activations in an ONNX file: UINT8 (default) or INT8");
  p.Add("calibrationFile", &f.calibration_file, "PATH",
        "calibration to resume from; written when it ends or is interrupted");
  p.Group("Accuracy, on the samples of the configuration file");
  p.Add("maxLoss", &f.max_loss, "BOUND",
        "cosine:0.995, snr:30 (dB) or top1:0.5 (points lost): the most sensitive layers stay float, or get more bits");
  p.Add("autoFix", &f.auto_fix, "BOOL", "with maxLoss: first change what helps in the settings (default false)");
  p.Add("sensitivity", &f.sensitivity, "BOOL", "quantize each layer alone and list what it costs (default false)");
  p.Group("Running");
  p.Add("numThreads", &f.num_threads, "N", "threads (default: as many as the machine has)");
  p.Add("memoryLimit", &f.memory_limit, "MB", "refuse plans that need more memory (default: no limit)");
  p.Add("infer", &f.infer, "BOOL", "run the written graph once (default false)");
  p.Add("optimize", &f.optimize, "NAME", "none or general: simplify the graph (default general)");
  p.Group("Accepted at their defaults; what else they ask for is not supported yet");
  p.Add("inputDataFormat", &f.input_data_format, "NAME", "NHWC or NCHW");
  p.Add("outputDataFormat", &f.output_data_format, "NAME", "NHWC or NCHW");
  p.Add("inputDataType", &f.input_data_type, "NAME", "FLOAT or DEFAULT");
  p.Add("outputDataType", &f.output_data_type, "NAME", "FLOAT or DEFAULT");
  p.Add("encryption", &f.encryption, "BOOL", "false");
  p.Add("encryptKey", &f.encrypt_key, "HEX", "");
  p.Add("decryptKey", &f.decrypt_key, "HEX", "");
  p.Add("decryptMode", &f.decrypt_mode, "NAME", "AES-GCM");
  p.Add("saveType", &f.save_type, "NAME", "MINDIR or MINDIR_LITE");
  p.Add("optimizeTransformer", &f.optimize_transformer, "BOOL", "false");
  p.Add("device", &f.device, "NAME", "");
  p.Add("trainModel", &f.train_model, "BOOL", "false");
  return p;
}

// A flag with a list of values, of which only some are supported yet.
struct Choice {
  std::string_view flag;
  const std::string& value;
  std::vector<std::string_view> supported, known;  // known: legal in the reference, refused here
};

absl::Status Check(const Choice& choice) {
  std::string all;
  for (const std::string_view value : choice.supported) {
    if (choice.value == value) return absl::OkStatus();
    all += Join({all.empty() ? "" : "|", value});
  }
  for (const std::string_view value : choice.known) {
    if (choice.value == value) {
      return absl::UnimplementedError(Join({"--", choice.flag, "=", choice.value, " is not supported yet"}));
    }
    all += Join({all.empty() ? "" : "|", value});
  }
  return Refuse({"INPUT ILLEGAL: ", choice.flag, " must be ", all, " (found '", choice.value, "')"});
}

absl::Status CheckModel(const ConverterFlags& f) {
  if (f.fmk.empty()) return Refuse({"INPUT MISSING: fmk is necessary"});
  if (absl::Status status = Check(
          {"fmk", f.fmk, {"ONNX", "QLITE"}, {"TF", "TFLITE", "CAFFE", "MINDIR", "MS", "PYTORCH", "MSLITE", "OM"}});
      !status.ok()) {
    return status;
  }
  if (!f.weight_file.empty())
    return Refuse({"INPUT ILLEGAL: weightFile is not a valid flag (it belongs to --fmk=CAFFE)"});
  if (f.model_file.empty()) return Refuse({"INPUT MISSING: model file path is necessary"});
  if (f.output_file.empty()) return Refuse({"INPUT MISSING: output file path is necessary"});
  if (f.output_file.back() == '/' || f.output_file.back() == '\\') {
    return Refuse({"INPUT ILLEGAL: outputFile must be a valid file path"});
  }
  return absl::OkStatus();
}

absl::Status CheckDefaults(const ConverterFlags& f) {
  const Choice choices[] = {
      {"inputDataFormat", f.input_data_format, {""}, {"NHWC", "NCHW"}},
      {"outputDataFormat", f.output_data_format, {""}, {"NHWC", "NCHW"}},
      {"inputDataType", f.input_data_type, {"FLOAT", "DEFAULT"}, {"FLOAT16", "INT8", "UINT8", "INT32", "INT64"}},
      {"outputDataType", f.output_data_type, {"FLOAT", "DEFAULT"}, {"FLOAT16", "INT8", "UINT8"}},
      {"fp16", f.fp16, {"off", "on", "bf16"}, {}},
      {"encryption", f.encryption, {"false"}, {"true"}},
      {"decryptMode", f.decrypt_mode, {"AES-GCM"}, {"AES-CBC"}},
      {"saveType", f.save_type, {""}, {"MINDIR", "MINDIR_LITE"}},
      {"optimizeTransformer", f.optimize_transformer, {"false"}, {"true"}},
      {"device", f.device, {""}, {"Ascend", "Ascend310", "Ascend310P", "GPU"}},
      {"trainModel", f.train_model, {"false"}, {"true"}},
      {"infer", f.infer, {"false", "true"}, {}},
      {"optimize", f.optimize, {"none", "general"}, {"gpu_oriented", "ascend_oriented"}},
      {"activationType", f.activation_type, {"UINT8", "INT8"}, {}},
      {"autoFix", f.auto_fix, {"false", "true"}, {}},
      {"sensitivity", f.sensitivity, {"false", "true"}, {}},
  };
  for (const Choice& choice : choices) {
    if (absl::Status status = Check(choice); !status.ok()) return status;
  }
  for (const auto& [flag, value] :
       {std::pair<std::string_view, const std::string&>{"encryptKey", f.encrypt_key}, {"decryptKey", f.decrypt_key}}) {
    if (!value.empty()) return absl::UnimplementedError(Join({"--", flag, ": encrypted models are not supported yet"}));
  }
  return absl::OkStatus();
}

absl::Status ReadOlderWeightQuantization(const ConverterFlags& f, const std::string& config, ConvertRequest& request) {
  request.quant_type = QuantType::kWeight;
  request.weights.bits = static_cast<int>(f.bit_num);
  request.weights.min_weight_elements = std::max<int64_t>(0, f.quant_weight_size - 1);  // so many are enough
  request.weights.min_weight_channels = f.quant_weight_channel;
  return f.config_file.empty() ? absl::OkStatus() : ApplyFlatConfig(config, f.config_file, request);
}

absl::Status ReadOlderQuantization(const ConverterFlags& f, const FlagParser& parser, const std::string& config,
                                   ConvertRequest& request) {
  if (f.bit_num < 1 || f.bit_num > 16) {
    return Refuse({"INPUT ILLEGAL: bitNum should be greater than zero and lesser than 16 currently."});
  }
  for (const auto& [flag, value] : {std::pair<std::string_view, int64_t>{"quantWeightSize", f.quant_weight_size},
                                    {"quantWeightChannel", f.quant_weight_channel}}) {
    if (value < 0) return Refuse({"INPUT ILLEGAL: ", flag, " should be at least zero."});
  }
  if (f.quant_type == "WeightQuant") return ReadOlderWeightQuantization(f, config, request);
  if (f.quant_type == "AwareTraining") {
    return absl::UnimplementedError(Join({"--quantType=", f.quant_type, " is not supported yet"}));
  }
  if (f.quant_type != "PostTraining") {
    return Refuse({"INPUT ILLEGAL: quantType must be WeightQuant|PostTraining (found '", f.quant_type, "')"});
  }
  if (f.bit_num != 8) return absl::UnimplementedError("--bitNum other than 8 is not supported yet for PostTraining");
  if (parser.given("quantWeightSize") || parser.given("quantWeightChannel")) {
    request.notices.push_back("quantWeightSize and quantWeightChannel belong to WeightQuant and have no effect");
  }
  if (f.config_file.empty()) return Refuse({"INPUT MISSING: configFile is necessary for --quantType=PostTraining"});
  request.quant_type = QuantType::kFull;
  return ApplyFlatConfig(config, f.config_file, request);
}

absl::Status ReadQuantization(const ConverterFlags& f, const FlagParser& parser, ConvertRequest& request) {
  std::string config;
  if (!f.config_file.empty()) {
    absl::StatusOr<std::string> text = ReadConfigText(f.config_file);
    if (!text.ok()) return text.status();
    config = *std::move(text);
  }
  if (!f.quant_type.empty()) return ReadOlderQuantization(f, parser, config, request);
  for (const std::string_view flag : {"bitNum", "quantWeightSize", "quantWeightChannel"}) {
    if (parser.given(flag))
      return Refuse({"--", flag, " needs --quantType; in a config file write it in [common_quant_param]"});
  }
  return f.config_file.empty() ? absl::OkStatus() : ApplySectionedConfig(config, f.config_file, request);
}

// What can be told of a file to write before any work is done.
absl::Status CheckTarget(std::string_view flag, const std::string& file) {
  const std::filesystem::path path(file);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return Refuse({"INPUT ILLEGAL: ", flag, " must be a valid file path; '", file, "' is a folder"});
  }
  if (path.has_parent_path() && !std::filesystem::is_directory(path.parent_path(), error)) {
    return Refuse({"INPUT ILLEGAL: ", flag, ": the folder '", path.parent_path().string(), "' does not exist"});
  }
  return absl::OkStatus();
}

// The format by --outputFormat, the extension, or, for a path without one, our own; such a path gets the format's.
absl::Status ChooseOutput(const ConverterFlags& f, ConvertRequest& request) {
  request.output_file = f.output_file;
  const size_t slash = f.output_file.find_last_of('/');
  const bool extension = f.output_file.find('.', slash == std::string::npos ? 0 : slash + 1) != std::string::npos;
  const std::optional<ModelFormat> by_path = ModelFormatOfPath(f.output_file);
  request.output_format = by_path.value_or(ModelFormat::kQlite);
  if (!f.output_format.empty()) {
    absl::StatusOr<ModelFormat> format = ParseModelFormat(f.output_format);
    if (!format.ok()) return format.status();
    request.output_format = *format;
  }
  if (!extension) request.output_file += Join({".", ModelFormatName(request.output_format)});
  std::error_code error;
  if (std::filesystem::equivalent(request.output_file, f.model_file, error)) {
    return Refuse({"INPUT ILLEGAL: outputFile '", request.output_file, "' is the model to read; give it another name"});
  }
  if (absl::Status status = CheckTarget("outputFile", request.output_file); !status.ok()) return status;
  if (extension && !by_path && f.output_format.empty()) {
    return Refuse({"INPUT ILLEGAL: outputFile '", request.output_file, "' ends in neither .qlite nor .onnx; ",
                   "--outputFormat names the format whatever the extension"});
  }
  return absl::OkStatus();
}

// What is asked of the accuracy at the outputs.
absl::Status ReadAccuracy(const ConverterFlags& f, ConvertRequest& request) {
  request.auto_fix = f.auto_fix == "true";
  request.sensitivity = f.sensitivity == "true";
  if (!f.max_loss.empty()) {
    const absl::StatusOr<LossTarget> target = ParseLossTarget(f.max_loss);
    if (!target.ok()) return Refuse({"INPUT ILLEGAL: maxLoss: ", std::string(target.status().message())});
    request.max_loss = *target;
  }
  if (request.auto_fix && !request.max_loss) return Refuse({"INPUT MISSING: autoFix needs maxLoss, a bound to reach"});
  if (!request.max_loss && !request.sensitivity) return absl::OkStatus();
  const std::string_view flag = request.max_loss ? "maxLoss" : "sensitivity";
  if (request.quant_type == QuantType::kNone) return Refuse({"INPUT ILLEGAL: ", flag, " needs a quantization"});
  if (request.data.folders.empty()) {
    return Refuse({"INPUT MISSING: ", flag, " measures on samples; give calibrate_path, calibrate_size and input_type ",
                   "in [data_preprocess_param]"});
  }
  return absl::OkStatus();
}

absl::Status Complete(const ConverterFlags& f, const FlagParser& parser, ConvertRequest& request) {
  if (absl::Status status = ReadQuantization(f, parser, request); !status.ok()) return status;
  if (absl::Status status = CheckModel(f); !status.ok()) return status;
  absl::StatusOr<std::map<std::string, std::vector<int64_t>>> shapes = ParseInputShapes(f.input_shape);
  if (!shapes.ok()) return shapes.status();
  if (absl::Status status = CheckDefaults(f); !status.ok()) return status;
  if (f.num_threads < 0 || f.num_threads > kMaxThreads) {
    return Refuse({"INPUT ILLEGAL: numThreads should be in [0,", std::to_string(kMaxThreads), "]."});
  }
  if (f.memory_limit < 0 || f.memory_limit > kMaxMemoryMb) {
    return Refuse({"INPUT ILLEGAL: memoryLimit should be in [0,", std::to_string(kMaxMemoryMb), "]."});
  }
  request.model_file = f.model_file;
  request.model_format = *ParseModelFormat(f.fmk);
  request.input_shapes = *std::move(shapes);
  request.quantizer.input_shapes = request.input_shapes;
  request.weights.input_shapes = request.input_shapes;
  request.simplify = f.optimize == "general";
  if (!request.simplify && request.quant_type != QuantType::kNone) {
    return Refuse({"--optimize=none: quantization needs the simplified graph; leave the flag out"});
  }
  request.run_once = f.infer == "true";
  if (f.fp16 != "off") request.float_storage = f.fp16 == "on" ? ElementType::kFloat16 : ElementType::kBFloat16;
  request.uint8_activations = f.activation_type == "UINT8";
  request.calibration_file = f.calibration_file;
  if (!f.calibration_file.empty()) {
    if (absl::Status status = CheckTarget("calibrationFile", f.calibration_file); !status.ok()) return status;
    if (request.quant_type != QuantType::kFull) {
      return Refuse({"INPUT ILLEGAL: calibrationFile goes with full quantization alone; nothing else calibrates"});
    }
  }
  if (absl::Status status = ReadAccuracy(f, request); !status.ok()) return status;
  request.memory_limit_mb = f.memory_limit;
  if (parser.given("numThreads")) request.num_threads = f.num_threads;
  return ChooseOutput(f, request);
}

}  // namespace

absl::StatusOr<ConverterCommand> ReadConverterCommand(int argc, const char* const* argv) {
  ConverterFlags flags;
  FlagParser parser = MakeParser(flags);
  ConverterCommand command;
  command.usage = parser.Usage();
  if (argc <= 1) {
    return Refuse({command.usage,
                   "\nFlag missing. When in single model scenario, fmk/modelFile/outputFile flags are necessary. "
                   "When in multi model scenario, configFile flag is necessary."});
  }
  if (absl::Status status = parser.Parse(argc, argv); !status.ok()) return status;
  command.help = parser.help_wanted();
  if (command.help) return command;
  if (absl::Status status = Complete(flags, parser, command.request); !status.ok()) return status;
  return command;
}

}  // namespace qlite::cli
