#include "benchmark/benchmark_flags.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "examples/refusal.h"

namespace qlite::cli {
namespace {

using ::Catch::Contains;
using ::Catch::StartsWith;

absl::StatusOr<BenchmarkCommand> Read(std::vector<std::string> arguments) {
  std::vector<const char*> argv = {"qlite_benchmark"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return ReadBenchmarkCommand(static_cast<int>(argv.size()), argv.data());
}

BenchmarkCommand Command(std::vector<std::string> more) {
  more.insert(more.begin(), "--modelFile=m.qlite");
  absl::StatusOr<BenchmarkCommand> command = Read(more);
  INFO(MessageOf(command));
  REQUIRE(command.ok());
  return *std::move(command);
}

std::string Refusal(std::vector<std::string> more) {
  more.insert(more.begin(), "--modelFile=m.qlite");
  const absl::StatusOr<BenchmarkCommand> command = Read(more);
  CHECK_FALSE(command.ok());
  return MessageOf(command);
}

TEST_CASE("benchmark: defaults") {
  const BenchmarkRequest request = Command({}).request;
  CHECK(request.model_file == "m.qlite");
  CHECK(request.loop_count == 10);
  CHECK(request.warm_up_count == 3);
  CHECK(request.num_threads == 2);
  CHECK(request.accuracy_threshold_percent == 0.5);
  CHECK(request.cosine_threshold == -1.1);
  CHECK(request.input_files.empty());
}

TEST_CASE("benchmark: settings are listed in the reference's order") {
  const auto settings = Command({"--loopCount=5", "--device=Auto"}).settings;
  std::vector<std::string> names;
  for (const auto& [name, value] : settings) names.push_back(name);
  CHECK(names == std::vector<std::string>{"ModelPath", "ModelType", "InDataPath", "ConfigFilePath", "InDataType",
                                          "LoopCount", "DeviceType", "AccuracyThreshold", "CosineDistanceThreshold",
                                          "WarmUpLoopCount", "NumThreads", "InterOpParallelNum", "Fp16Priority",
                                          "EnableParallel", "calibDataPath", "EnableGLTexture", "cpuBindMode",
                                          "CalibDataType"});
  CHECK(settings[5].second == "5");
  CHECK(settings[7].second == "0.5");
}

TEST_CASE("benchmark: wrong values in the reference's words") {
  CHECK_THAT(MessageOf(Read({})), Contains("modelPath is required") && Contains("Invalid Model File."));
  CHECK_THAT(Refusal({"--loopCount=0"}), Contains("LoopCount:0 must be greater than 0"));
  CHECK_THAT(Refusal({"--warmUpLoopCount=-1"}), Contains("WarmUpLoopCount"));
  CHECK_THAT(Refusal({"--numThreads=0"}),
             Contains("numThreads:0 must be greater than 0") && Contains("Invalid numThreads."));
  CHECK_THAT(Refusal({"--numThreads=2000000000000"}), Contains("Invalid numThreads."));
  CHECK_THAT(Refusal({"--device=GPU"}), Contains("Device type:GPU is not supported."));
  CHECK_THAT(Refusal({"--benchmarkDataType=INT4"}), Contains("CalibDataType not supported: INT4"));
  CHECK_THAT(Refusal({"--modelType=ONNX"}), Contains("modelType"));
  CHECK_THAT(Refusal({"--cpuBindMode=3"}), Contains("cpuBindMode"));
  CHECK_THAT(Refusal({"--cpuCoreList=0,x"}), Contains("cpuCoreList") && Contains("'x'"));
  CHECK_THAT(Refusal({"--accuracyThreshold=-1"}), Contains("accuracyThreshold"));
  CHECK_THAT(Refusal({"--imageCount=-1"}), Contains("imageCount"));
  CHECK_THAT(Refusal({"--memoryLimit=-1"}), Contains("memoryLimit"));
}

TEST_CASE("benchmark: an unknown flag shows the usage") {
  CHECK_THAT(Refusal({"--loopcount=5"}),
             StartsWith("loopcount is not a valid flag (did you mean 'loopCount'?)") && Contains("--warmUpLoopCount"));
}

TEST_CASE("benchmark: features that are missing are refused by name") {
  for (const char* flag : {"enableParallel", "interOpParallelNum=2", "perfProfiling", "perfEvent=CACHE",
                           "enableParallelPredict", "enableSharedThreadPool", "enableGLTexture", "delegateMode=CoreML",
                           "decryptKey=00", "cryptoLibPath=x", "GroupInfoFile=x", "provider=tensorrt"}) {
    INFO(flag);
    CHECK_THAT(Refusal({std::string("--") + flag}),
               Contains(std::string(flag).substr(0, std::string_view(flag).find('='))) && Contains("not supported"));
  }
}

TEST_CASE("benchmark: float16 is asked for of the model alone") {
  CHECK_FALSE(Command({}).request.float16);
  const BenchmarkRequest request = Command({"--enableFp16=true"}).request;
  CHECK(request.float16);
  CHECK_FALSE(request.ForOther().float16);
}

TEST_CASE("benchmark: weights are decoded as the model or the flag says, those of the other model at load") {
  CHECK(Command({}).request.weight_decoding == WeightDecoding::kAsModelSays);
  CHECK(Command({"--dequantStrategy=AT_LOAD"}).request.weight_decoding == WeightDecoding::kAtLoad);
  const BenchmarkRequest request = Command({"--dequantStrategy=ON_THE_FLY"}).request;
  CHECK(request.weight_decoding == WeightDecoding::kOnTheFly);
  CHECK(request.ForOther().weight_decoding == WeightDecoding::kAtLoad);
  CHECK_THAT(Refusal({"--dequantStrategy=on_the_fly"}), Contains("must be ON_THE_FLY|AT_LOAD"));
}

TEST_CASE("benchmark: lists of input files and shapes") {
  CHECK(Command({"--inDataFile=a.bin,b.bin c.bin"}).request.input_files ==
        std::vector<std::string>{"a.bin", "b.bin", "c.bin"});
  CHECK(Command({"--inputShape=a/b:1:1,2"}).request.input_shapes ==
        std::map<std::string, std::vector<int64_t>>{{"a/b:1", {1, 2}}});
  CHECK(Command({"--inputShapes=1,32,32,1:1,10"}).request.positional_shapes ==
        std::vector<std::vector<int64_t>>{{1, 32, 32, 1}, {1, 10}});
  CHECK_THAT(Refusal({"--inputShapes=1,a"}), Contains("inputShapes"));
  CHECK_THAT(Refusal({"--inDataFile=a,b", "--inputShape=x:1"}), Contains("(1)") && Contains("(2)"));
  CHECK_THAT(Refusal({"--inputShape=x:1", "--inputShapes=1"}), Contains("--inputShape and --inputShapes exclude"));
  CHECK(Command({"--cpuCoreList=0, 3"}).request.cpu_cores == std::vector<int>{0, 3});
}

TEST_CASE("benchmark: pictures need their list and their preprocessing") {
  CHECK_THAT(Refusal({"--imagePath=a"}), Contains("--imagePath and --labelFile go together"));
  CHECK_THAT(Refusal({"--labelFile=a"}), Contains("--imagePath and --labelFile go together"));
  CHECK_THAT(Refusal({"--imagePath=a", "--labelFile=b"}), Contains("--configFile"));
  const auto path = std::filesystem::temp_directory_path() / ("qlite_benchmark_flags_" + std::to_string(getpid()));
  const std::string config = "--configFile=" + path.string();
  std::ofstream(path) << "[common_quant_param]\nquant_type=FULL_QUANT\n";
  CHECK_THAT(Refusal({"--imagePath=a", "--labelFile=b", config}), Contains("[data_preprocess_param]"));
  std::ofstream(path) << "[data_preprocess_param]\nimage_to_format=RGB\n";
  const BenchmarkRequest request = Command({"--imagePath=a", "--labelFile=b", "--labelOffset=1", config}).request;
  CHECK(request.data.image.order == ColorOrder::kRgb);
  CHECK(request.label_offset == 1);
  CHECK_THAT(Refusal({"--imagePath=a", "--labelFile=b", "--benchmarkDataFile=c", config}), Contains("exclude"));
  std::filesystem::remove(path);
  CHECK_THAT(Refusal({"--imageCount=2"}), Contains("--imageCount needs --imagePath"));
  CHECK_THAT(Refusal({"--labelOffset=1"}), Contains("--labelOffset needs --imagePath"));
}

TEST_CASE("benchmark: json without a value goes to stdout") {
  CHECK(Command({"--json"}).request.json == "-");
  CHECK(Command({"--json=a.json"}).request.json == "a.json");
  CHECK(Command({}).request.json.empty());
}

}  // namespace
}  // namespace qlite::cli
