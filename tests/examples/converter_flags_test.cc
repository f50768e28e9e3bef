#include "convert/converter_flags.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "common/exit_status.h"
#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;
using ::Catch::Equals;

// A configuration file for the duration of a test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("qlite_flags_test_" + std::to_string(getpid()) + ".cfg")) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  std::string flag() const { return "--configFile=" + path_.string(); }

 private:
  std::filesystem::path path_;
};

absl::StatusOr<ConverterCommand> Read(std::vector<std::string> arguments) {
  std::vector<const char*> argv = {"qlite_convert"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return ReadConverterCommand(static_cast<int>(argv.size()), argv.data());
}

// The three necessary flags and these.
std::vector<std::string> With(std::vector<std::string> more) {
  more.insert(more.begin(), {"--fmk=ONNX", "--modelFile=m.onnx", "--outputFile=out"});
  return more;
}

ConvertRequest Request(const std::vector<std::string>& more) {
  const absl::StatusOr<ConverterCommand> command = Read(With(more));
  INFO(MessageOf(command));
  REQUIRE(command.ok());
  return command->request;
}

std::string Refusal(const std::vector<std::string>& more) {
  const absl::StatusOr<ConverterCommand> command = Read(With(more));
  CHECK_FALSE(command.ok());
  return MessageOf(command);
}

TEST_CASE("converter: nothing given shows the usage and says what is missing") {
  const std::string message = MessageOf(Read({}));
  CHECK_THAT(message, Contains("--modelFile=PATH") && Contains("Flag missing. When in single model scenario"));
}

TEST_CASE("converter: help needs nothing else") {
  const absl::StatusOr<ConverterCommand> command = Read({"--help"});
  REQUIRE(command.ok());
  CHECK(command->help);
  CHECK_THAT(command->usage, Contains("--outputFormat"));
}

TEST_CASE("converter: necessary flags in the reference's order and words") {
  CHECK_THAT(MessageOf(Read({"--modelFile=a"})), Equals("INPUT MISSING: fmk is necessary"));
  CHECK_THAT(MessageOf(Read({"--fmk=ONNX", "--outputFile=a"})), Equals("INPUT MISSING: model file path is necessary"));
  CHECK_THAT(MessageOf(Read({"--fmk=ONNX", "--modelFile=a"})), Equals("INPUT MISSING: output file path is necessary"));
  CHECK_THAT(MessageOf(Read({"--fmk=onnx", "--modelFile=a", "--outputFile=b"})),
             Contains("INPUT ILLEGAL: fmk must be ONNX|QLITE|"));
  for (const char* fmk : {"TF", "TFLITE", "CAFFE", "MINDIR", "MS", "PYTORCH", "MSLITE", "OM"}) {
    const absl::Status status = Read({std::string("--fmk=") + fmk, "--modelFile=a", "--outputFile=b"}).status();
    CHECK(status.code() == absl::StatusCode::kUnimplemented);
    CHECK_THAT(MessageOf(status), Contains(fmk));
  }
  CHECK_THAT(Refusal({"--weightFile=w"}), Contains("INPUT ILLEGAL: weightFile is not a valid flag"));
}

TEST_CASE("converter: the output's format and extension") {
  const auto output = [](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"--fmk=ONNX", "--modelFile=m"});
    const absl::StatusOr<ConverterCommand> command = Read(flags);
    REQUIRE(command.ok());
    return std::pair(command->request.output_file, command->request.output_format);
  };
  CHECK(output({"--outputFile=a"}) == std::pair<std::string, ModelFormat>("a.qlite", ModelFormat::kQlite));
  CHECK(output({"--outputFile=a.qlite"}) == std::pair<std::string, ModelFormat>("a.qlite", ModelFormat::kQlite));
  CHECK(output({"--outputFile=a.onnx"}) == std::pair<std::string, ModelFormat>("a.onnx", ModelFormat::kOnnx));
  CHECK(output({"--outputFile=a", "--outputFormat=onnx"}) ==
        std::pair<std::string, ModelFormat>("a.onnx", ModelFormat::kOnnx));
  CHECK(output({"--outputFile=a.onnx", "--outputFormat=QLITE"}) ==
        std::pair<std::string, ModelFormat>("a.onnx", ModelFormat::kQlite));
  CHECK(output({"--outputFile=./a"}) == std::pair<std::string, ModelFormat>("./a.qlite", ModelFormat::kQlite));
  CHECK(output({"--outputFile=mobilenet_v1.0", "--outputFormat=onnx"}) ==
        std::pair<std::string, ModelFormat>("mobilenet_v1.0", ModelFormat::kOnnx));
  CHECK_THAT(Refusal({"--outputFormat=ms"}), Contains("ms") && Contains("qlite"));
  CHECK_THAT(MessageOf(Read({"--fmk=ONNX", "--modelFile=m", "--outputFile=a.tflite"})),
             Contains("'a.tflite'") && Contains(".onnx") && Contains("--outputFormat"));
}

TEST_CASE("converter: an output that cannot be a file is refused before any work") {
  const auto refusal = [](const std::string& output) {
    const absl::StatusOr<ConverterCommand> command = Read({"--fmk=ONNX", "--modelFile=m", "--outputFile=" + output});
    CHECK_FALSE(command.ok());
    return MessageOf(command);
  };
  CHECK_THAT(refusal("dir/"), Equals("INPUT ILLEGAL: outputFile must be a valid file path"));
  CHECK_THAT(refusal("dir\\"), Equals("INPUT ILLEGAL: outputFile must be a valid file path"));
  CHECK_THAT(refusal("/nowhere/at/all"), Contains("'/nowhere/at' does not exist"));
  CHECK_THAT(refusal("."), Contains("is a folder"));
  CHECK_THAT(Refusal({"--calibrationFile=/nowhere/at/all"}), Contains("calibrationFile") && Contains("'/nowhere/at'"));
  CHECK_THAT(Refusal({"--calibrationFile=/tmp"}), Contains("calibrationFile") && Contains("is a folder"));
  const ConfigFile file("");
  const std::string path = file.flag().substr(file.flag().find('=') + 1);
  CHECK_THAT(MessageOf(Read({"--fmk=ONNX", "--modelFile=" + path, "--outputFile=" + path})),
             Contains("is the model to read"));
}

TEST_CASE("converter: input shapes") {
  const ConvertRequest request = Request({"--inputShape=a:0:1,3,-1;b:7"});
  CHECK(request.input_shapes == std::map<std::string, std::vector<int64_t>>{{"a:0", {1, 3, -1}}, {"b", {7}}});
  CHECK(request.quantizer.input_shapes == request.input_shapes);
  for (const char* bad : {"1,2,3", "a:", "a:1,,2", "a:1.5", "a:x", "a:-2", "a:0", "a:1;a:2", ":1"}) {
    CHECK_THAT(Refusal({std::string("--inputShape=") + bad}), Contains("inputShape"));
  }
}

TEST_CASE("converter: flags of features that are missing are refused by name") {
  for (const char* flag : {"inputDataFormat=NHWC", "outputDataFormat=NCHW", "inputDataType=INT8",
                           "outputDataType=UINT8", "encryption=true", "encryptKey=00", "decryptKey=00",
                           "decryptMode=AES-CBC", "saveType=MINDIR", "optimize=ascend_oriented",
                           "optimizeTransformer=true", "device=GPU", "trainModel=true", "quantType=AwareTraining"}) {
    INFO(flag);
    const std::string argument = std::string("--") + flag;
    const absl::Status status = Read(With({argument})).status();
    CHECK(status.code() == absl::StatusCode::kUnimplemented);
    CHECK_THAT(MessageOf(status), Contains(std::string(flag).substr(0, std::string_view(flag).find('='))));
  }
}

TEST_CASE("converter: 16-bit floats") {
  CHECK(Request({}).float_storage == ElementType::kFloat32);
  CHECK(Request({"--fp16=on"}).float_storage == ElementType::kFloat16);
  CHECK(Request({"--fp16=bf16"}).float_storage == ElementType::kBFloat16);
}

TEST_CASE("converter: the older form of weight quantization") {
  const ConvertRequest plain = Request({"--quantType=WeightQuant"});
  CHECK(plain.quant_type == QuantType::kWeight);
  CHECK(plain.weights.bits == 8);
  CHECK(plain.weights.min_weight_elements == 0);
  CHECK(plain.weights.min_weight_channels == 16);
  const ConvertRequest request =
      Request({"--quantType=WeightQuant", "--bitNum=5", "--quantWeightSize=100", "--quantWeightChannel=3"});
  CHECK(request.weights.bits == 5);
  CHECK(request.weights.min_weight_elements == 99);  // a weight of 100 elements is quantized
  CHECK(request.weights.min_weight_channels == 3);
  CHECK_THAT(Refusal({"--quantType=WeightQuant", "--bitNum=17"}), Contains("lesser than 16 currently"));
  CHECK_THAT(Refusal({"--quantType=WeightQuant", "--quantWeightSize=-1"}), Contains("quantWeightSize"));
}

TEST_CASE("converter: values that the reference does not know are illegal") {
  for (const char* flag : {"inputDataFormat=NHCW", "inputDataType=FLOAT64", "outputDataType=INT32", "fp16=true",
                           "encryption=no", "decryptMode=AES", "saveType=MS", "optimize=all", "optimizeTransformer=1",
                           "device=CPU", "trainModel=maybe", "infer=yes", "activationType=INT4", "quantType=Full"}) {
    INFO(flag);
    const absl::Status status = Read(With({std::string("--") + flag})).status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(status), Contains("INPUT ILLEGAL") && Contains("must be"));
  }
}

TEST_CASE("converter: defaults that are written out are accepted") {
  const ConvertRequest request =
      Request({"--inputDataType=FLOAT", "--outputDataType=DEFAULT", "--fp16=off", "--encryption=false", "--infer=true",
               "--optimize=general", "--optimizeTransformer=false", "--trainModel=false", "--decryptMode=AES-GCM"});
  CHECK(request.run_once);
  CHECK(request.simplify);
  CHECK(request.quant_type == QuantType::kNone);
  CHECK_FALSE(Request({"--optimize=none"}).simplify);
  CHECK_FALSE(Request({"--activationType=INT8"}).uint8_activations);
}

TEST_CASE("converter: numbers are bounded") {
  for (const char* flag : {"--numThreads=-1", "--numThreads=100000", "--numThreads=4294967297", "--memoryLimit=-1",
                           "--memoryLimit=9000000000000000000"}) {
    CHECK_THAT(Refusal({flag}), Contains("INPUT ILLEGAL") && Contains("should be in"));
  }
  CHECK(Request({"--numThreads=3", "--memoryLimit=100"}).num_threads == 3);
}

TEST_CASE("converter: the older quantization flags") {
  const ConfigFile config("image_path=/data\nthread_num=2\n");
  const ConvertRequest request = Request({"--quantType=PostTraining", "--bitNum=8", config.flag()});
  CHECK(request.quant_type == QuantType::kFull);
  CHECK(request.num_threads == 2);
  CHECK(Request({"--quantType=PostTraining", config.flag(), "--numThreads=1"}).num_threads == 1);
  CHECK(Request({"--quantType=PostTraining", config.flag(), "--quantWeightSize=5"}).notices.size() == 1);
  CHECK_THAT(Refusal({"--quantType=PostTraining"}), Contains("INPUT MISSING: configFile"));
  CHECK_THAT(Refusal({"--quantType=PostTraining", "--bitNum=7", config.flag()}), Contains("bitNum"));
  for (const char* bits : {"--bitNum=0", "--bitNum=17", "--bitNum=-1"}) {
    CHECK_THAT(Refusal({"--quantType=PostTraining", bits, config.flag()}),
               Contains("INPUT ILLEGAL: bitNum should be greater than zero and lesser than 16 currently."));
  }
  CHECK_THAT(Refusal({"--quantType=PostTraining", "--bitNum=8x"}), Contains("Failed to parse value for: bitNum"));
  CHECK_THAT(Refusal({"--quantType=PostTraining", "--quantWeightSize=-1", config.flag()}), Contains("quantWeightSize"));
  CHECK_THAT(Refusal({"--quantType=PostTraining", "--quantWeightChannel=-1", config.flag()}),
             Contains("quantWeightChannel"));
  for (const char* flag : {"--bitNum=8", "--quantWeightSize=0", "--quantWeightChannel=16"}) {
    CHECK_THAT(Refusal({flag}), Contains("needs --quantType"));
  }
}

TEST_CASE("converter: the configuration file of the newer kind") {
  const ConfigFile config(
      "[common_quant_param]\nquant_type=FULL_QUANT\n"
      "[data_preprocess_param]\ncalibrate_path=x:/data\ncalibrate_size=4\ninput_type=BIN\n");
  CHECK(Request({config.flag()}).quant_type == QuantType::kFull);
  CHECK_THAT(Refusal({config.flag(), "--optimize=none"}), Contains("--optimize=none"));
  CHECK_THAT(Refusal({config.flag(), "--quantType=PostTraining"}), Contains("flat file"));
  CHECK_THAT(Refusal({"--configFile=/nowhere/at/all.cfg"}), Contains("/nowhere/at/all.cfg"));
}

TEST_CASE("exit statuses are the reference's, by their low byte") {
  CHECK(ProcessStatus(ExitCode::kOk) == 0);
  CHECK(ProcessStatus(ExitCode::kError) == 255);
  CHECK(ProcessStatus(ExitCode::kParamInvalid) == 253);
  CHECK(ProcessStatus(ExitCode::kMemoryFailed) == 250);
  CHECK(ProcessStatus(ExitCode::kNotSupported) == 249);
  CHECK(ProcessStatus(ExitCode::kInputParamInvalid) == 168);
  CHECK(CodeOf(absl::OkStatus()) == ExitCode::kOk);
  CHECK(CodeOf(absl::InvalidArgumentError("")) == ExitCode::kParamInvalid);
  CHECK(CodeOf(absl::NotFoundError("")) == ExitCode::kParamInvalid);
  CHECK(CodeOf(absl::UnimplementedError("")) == ExitCode::kNotSupported);
  CHECK(CodeOf(absl::ResourceExhaustedError("")) == ExitCode::kMemoryFailed);
  CHECK(CodeOf(absl::InternalError("")) == ExitCode::kError);
  for (const ExitCode code : {ExitCode::kOk, ExitCode::kError, ExitCode::kParamInvalid, ExitCode::kMemoryFailed,
                              ExitCode::kNotSupported, ExitCode::kInputParamInvalid}) {
    CHECK(std::string(TextOf(code)).size() > 5);
  }
}

TEST_CASE("converter: bounds on the loss need a quantization and samples") {
  const std::string samples = "[data_preprocess_param]\ncalibrate_path=x:calib\ncalibrate_size=2\ninput_type=BIN\n";
  const std::string full = "[common_quant_param]\nquant_type=FULL_QUANT\ndebug_info_times=true\n" + samples;
  {
    const ConfigFile config(full);
    const ConvertRequest request =
        Request({config.flag(), "--maxLoss=top1:0.5", "--autoFix=true", "--sensitivity=true"});
    REQUIRE(request.max_loss.has_value());
    CHECK((request.max_loss->measure == LossMeasure::kTop1 && request.max_loss->bound == 0.5));
    CHECK((request.auto_fix && request.sensitivity && request.report_times));
    CHECK_FALSE(Request({config.flag()}).max_loss.has_value());
    CHECK_THAT(Refusal({config.flag(), "--maxLoss=0.5"}), Contains("INPUT ILLEGAL: maxLoss") && Contains("cosine:"));
    CHECK_THAT(Refusal({config.flag(), "--autoFix=true"}), Contains("autoFix needs maxLoss"));
    CHECK_THAT(Refusal({config.flag(), "--maxLoss=snr:30", "--autoFix=yes"}), Contains("autoFix must be false|true"));
    CHECK(Request({config.flag(), "--maxLoss=snr:30", "--calibrationFile=table"}).calibration_file == "table");
  }
  CHECK_THAT(Refusal({"--calibrationFile=table"}), Contains("calibrationFile goes with full quantization"));
  CHECK_THAT(Refusal({"--quantType=WeightQuant", "--calibrationFile=table"}), Contains("full quantization alone"));
  CHECK_THAT(Refusal({"--maxLoss=snr:30"}), Contains("maxLoss needs a quantization"));
  CHECK_THAT(Refusal({"--sensitivity=true"}), Contains("sensitivity needs a quantization"));
  CHECK_THAT(Refusal({"--quantType=WeightQuant", "--maxLoss=snr:30"}), Contains("calibrate_path"));
}

}  // namespace
}  // namespace qlite::cli
