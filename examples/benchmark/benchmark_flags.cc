#include "benchmark/benchmark_flags.h"

#include "common/flag_parser.h"
#include "common/ini_file.h"
#include "common/input_shape.h"
#include "common/text.h"

namespace qlite::cli {
namespace {

// The values as they stand on the command line.
struct BenchmarkFlags {
  std::string model_file, model_type = "MindIR", in_data_file, group_info_file, config_file, device = "CPU",
                          provider = "litert";
  std::string benchmark_data_file, benchmark_data_type = "FLOAT", input_shape, input_shapes, cpu_core_list;
  std::string perf_event = "CYCLE", dequant_strategy, decrypt_key, crypto_lib_path, delegate_mode;
  std::string image_path, label_file, compare_model, json;
  int64_t cpu_bind_mode = 0, loop_count = 10, warm_up = 3, num_threads = 2, inter_op = 1;
  int64_t label_offset = 0, image_count = 0, memory_limit = 0;
  double accuracy_threshold = 0.5, cosine_threshold = -1.1;
  bool fp16 = false, parallel = false, time_profiling = false, perf_profiling = false, parallel_predict = false;
  bool gl_texture = false, shared_pool = false, logits = false;
};

FlagParser MakeParser(BenchmarkFlags& f) {
  FlagParser p("qlite_benchmark", "Measures a model: latency, memory, accuracy, and how far it is from another one.");
  p.Group("Model and inputs");
  p.Add("modelFile", &f.model_file, "PATH", "the model, .qlite or .onnx (required)");
  p.Add("inDataFile", &f.in_data_file, "FILES",
        "raw tensors, one a model input, comma separated; else seeded random inputs");
  p.Add("inputShape", &f.input_shape, "SHAPES", "name:1,3,224,224;name2:...");
  p.Add("inputShapes", &f.input_shapes, "SHAPES", "deprecated, by position: 1,32,32,1:1,10");
  p.Group("Latency");
  p.Add("numThreads", &f.num_threads, "N", "threads (default 2)");
  p.Add("warmUpLoopCount", &f.warm_up, "N", "inferences before measuring (default 3)");
  p.Add("loopCount", &f.loop_count, "N", "inferences measured (default 10)");
  p.Add("enableFp16", &f.fp16, "float products in float16, or only their weights: the output says which");
  p.Add("dequantStrategy", &f.dequant_strategy, "NAME",
        "integer weights: ON_THE_FLY decoded inside products, AT_LOAD when loaded, else as the model says");
  p.Add("timeProfiling", &f.time_profiling, "a table of the time of each operator");
  p.Add("cpuBindMode", &f.cpu_bind_mode, "N", "0 not bound (default), 1 the first cores, 2 the last ones");
  p.Add("cpuCoreList", &f.cpu_core_list, "LIST", "cores to run on: 0,1,2");
  p.Add("memoryLimit", &f.memory_limit, "MB", "refuse plans that need more memory");
  p.Group("Against a golden file");
  p.Add("benchmarkDataFile", &f.benchmark_data_file, "PATH", "expected outputs as text; compares instead of measuring");
  p.Add("benchmarkDataType", &f.benchmark_data_type, "NAME", "FLOAT, INT32, INT8 or UINT8");
  p.Add("accuracyThreshold", &f.accuracy_threshold, "PERCENT", "largest mean bias (default 0.5)");
  p.Add("cosineDistanceThreshold", &f.cosine_threshold, "X", "smallest cosine similarity (default -1.1: not checked)");
  p.Group("Against another model, and on pictures");
  p.Add("compareModel", &f.compare_model, "PATH",
        "runs this model on the same inputs and reports the difference to it");
  p.Add("logits", &f.logits, "takes the value before a final Softmax as the output");
  p.Add("imagePath", &f.image_path, "DIR", "folder of labelled pictures: top-1 and top-5");
  p.Add("labelFile", &f.label_file, "PATH", "lines path<TAB>class index");
  p.Add("labelOffset", &f.label_offset, "N", "added to every index: 1 where class 0 is the background");
  p.Add("imageCount", &f.image_count, "N", "only the first N pictures of the list");
  p.Add("configFile", &f.config_file, "PATH", "section [data_preprocess_param]: how pictures are prepared");
  p.AddOptional("json", &f.json, "-", "PATH", "results as JSON: to the file, or on stdout in place of text");
  p.Group("Accepted at their defaults; what else they ask for is not supported");
  p.Add("modelType", &f.model_type, "NAME", "MindIR or MindIR_Lite (the file tells its format)");
  p.Add("device", &f.device, "NAME", "CPU or Auto");
  p.Add("provider", &f.provider, "NAME", "litert");
  p.Add("GroupInfoFile", &f.group_info_file, "PATH", "");
  p.Add("enableParallel", &f.parallel, "");
  p.Add("interOpParallelNum", &f.inter_op, "N", "1");
  p.Add("perfProfiling", &f.perf_profiling, "");
  p.Add("perfEvent", &f.perf_event, "NAME", "CYCLE");
  p.Add("enableParallelPredict", &f.parallel_predict, "");
  p.Add("enableSharedThreadPool", &f.shared_pool, "");
  p.Add("enableGLTexture", &f.gl_texture, "");
  p.Add("delegateMode", &f.delegate_mode, "NAME", "");
  p.Add("decryptKey", &f.decrypt_key, "HEX", "");
  p.Add("cryptoLibPath", &f.crypto_lib_path, "PATH", "");
  return p;
}

absl::Status CheckUnsupported(const BenchmarkFlags& f) {
  if (f.device != "CPU" && f.device != "Auto") {
    return absl::UnimplementedError(Join({"Device type:", f.device, " is not supported."}));
  }
  if (f.model_type != "MindIR" && f.model_type != "MindIR_Lite") {
    return Refuse({"modelType must be MindIR|MindIR_Lite (found '", f.model_type, "')"});
  }
  bool known_type = false;
  for (const std::string_view type : {"FLOAT", "INT32", "INT8", "UINT8"}) known_type |= f.benchmark_data_type == type;
  if (!known_type) return Refuse({"CalibDataType not supported: ", f.benchmark_data_type});
  const std::pair<std::string_view, bool> asked[] = {
      {"enableParallel", f.parallel},
      {"interOpParallelNum", f.inter_op != 1},
      {"perfProfiling", f.perf_profiling},
      {"perfEvent", f.perf_event != "CYCLE"},
      {"enableParallelPredict", f.parallel_predict},
      {"enableSharedThreadPool", f.shared_pool},
      {"enableGLTexture", f.gl_texture},
      {"delegateMode", !f.delegate_mode.empty()},
      {"decryptKey", !f.decrypt_key.empty()},
      {"cryptoLibPath", !f.crypto_lib_path.empty()},
      {"GroupInfoFile", !f.group_info_file.empty()},
      {"provider", f.provider != "litert"},
  };
  for (const auto& [flag, wanted] : asked) {
    if (wanted) return absl::UnimplementedError(Join({"--", flag, " is not supported yet"}));
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const BenchmarkFlags& f) {
  const auto number = [](int64_t n) { return std::to_string(n); };
  if (f.model_file.empty()) return Refuse({"modelPath is required\nInvalid Model File."});
  if (f.loop_count < 1) return Refuse({"LoopCount:", number(f.loop_count), " must be greater than 0"});
  if (f.warm_up < 0) return Refuse({"WarmUpLoopCount:", number(f.warm_up), " must be at least 0"});
  if (f.num_threads < 1) {
    return Refuse({"numThreads:", number(f.num_threads), " must be greater than 0\nInvalid numThreads."});
  }
  if (f.num_threads > kMaxThreads) {
    return Refuse(
        {"numThreads:", number(f.num_threads), " must be at most ", number(kMaxThreads), "\nInvalid numThreads."});
  }
  if (f.cpu_bind_mode < 0 || f.cpu_bind_mode > 2) return Refuse({"cpuBindMode must be 0, 1 or 2"});
  if (f.image_count < 0) return Refuse({"imageCount must be at least 0"});
  if (f.memory_limit < 0 || f.memory_limit > kMaxMemoryMb)
    return Refuse({"memoryLimit must be in [0,", number(kMaxMemoryMb), "]"});
  if (f.accuracy_threshold < 0) return Refuse({"accuracyThreshold must be at least 0"});
  if (f.image_path.empty() != f.label_file.empty()) return Refuse({"--imagePath and --labelFile go together"});
  if (!f.image_path.empty() && f.config_file.empty()) {
    return Refuse({"--imagePath needs --configFile with a [data_preprocess_param] section: how pictures are prepared"});
  }
  if (!f.image_path.empty() && !f.benchmark_data_file.empty()) {
    return Refuse({"--imagePath and --benchmarkDataFile exclude each other"});
  }
  for (const auto& [flag, given] :
       {std::pair<std::string_view, bool>{"imageCount", f.image_count != 0}, {"labelOffset", f.label_offset != 0}}) {
    if (given && f.image_path.empty()) return Refuse({"--", flag, " needs --imagePath"});
  }
  if (!f.input_shape.empty() && !f.input_shapes.empty()) {
    return Refuse({"--inputShape and --inputShapes exclude each other"});
  }
  return absl::OkStatus();
}

absl::Status ReadCores(const BenchmarkFlags& f, BenchmarkRequest& request) {
  request.cpu_bind_mode = f.cpu_bind_mode;
  if (f.cpu_core_list.empty()) return absl::OkStatus();
  constexpr int64_t kMaxCores = 1024;
  for (const std::string& part : Split(f.cpu_core_list, ',')) {
    const std::optional<int64_t> core = ParseInteger(Trim(part));
    if (!core || *core < 0 || *core >= kMaxCores) return Refuse({"cpuCoreList: '", part, "' is not a core's number"});
    request.cpu_cores.push_back(static_cast<int>(*core));
  }
  return absl::OkStatus();
}

// "1,32,32,1:1,10": shapes by the position of the input.
absl::Status ReadPositionalShapes(const std::string& text, BenchmarkRequest& request) {
  if (text.empty()) return absl::OkStatus();
  int position = 0;
  for (const std::string& shape : Split(text, ':')) {
    const std::string named = Join({"input", std::to_string(position++), ":", shape});
    absl::StatusOr<std::map<std::string, std::vector<int64_t>>> parsed = ParseInputShapes(named);
    if (!parsed.ok() || parsed->size() != 1) return Refuse({"inputShapes: '", shape, "' does not look like 1,32,32,1"});
    request.positional_shapes.push_back(parsed->begin()->second);
  }
  return absl::OkStatus();
}

// Of the config file only the preprocessing counts; the converter's own file may be given as it is.
absl::Status ReadPreprocessing(const std::string& path, BenchmarkRequest& request) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> text = ReadConfigText(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(*text, path);
  if (!sections.ok()) return sections.status();
  for (const IniSection& section : *sections) {
    if (section.name == "data_preprocess_param") return ReadDataSection(section, path, request.data);
  }
  return Refuse({path, ": no section [data_preprocess_param]"});
}

absl::Status ReadDequantStrategy(const std::string& name, BenchmarkRequest& request) {
  if (name.empty()) return absl::OkStatus();
  if (name != "ON_THE_FLY" && name != "AT_LOAD") {
    return Refuse({"dequantStrategy must be ON_THE_FLY|AT_LOAD (found '", name, "')"});
  }
  request.weight_decoding = name == "AT_LOAD" ? WeightDecoding::kAtLoad : WeightDecoding::kOnTheFly;
  return absl::OkStatus();
}

void ReadInputFiles(const std::string& text, BenchmarkRequest& request) {
  std::string separated = text;
  for (char& c : separated) c = c == ' ' ? ',' : c;
  for (const std::string& file : Split(separated, ',')) {
    if (!file.empty()) request.input_files.push_back(file);
  }
}

std::vector<std::pair<std::string, std::string>> Settings(const BenchmarkFlags& f) {
  const auto number = [](int64_t n) { return std::to_string(n); };
  const auto real = [](double x) {
    std::string text = std::to_string(x);
    while (text.back() == '0') text.pop_back();
    return text.back() == '.' ? text + "0" : text;
  };
  constexpr const char* kBindModes[] = {"NO_BIND", "HIGHER_CPU", "MID_CPU"};
  return {{"ModelPath", f.model_file},
          {"ModelType", f.model_type},
          {"InDataPath", f.in_data_file},
          {"ConfigFilePath", f.config_file},
          {"InDataType", "bin"},
          {"LoopCount", number(f.loop_count)},
          {"DeviceType", f.device},
          {"AccuracyThreshold", real(f.accuracy_threshold)},
          {"CosineDistanceThreshold", real(f.cosine_threshold)},
          {"WarmUpLoopCount", number(f.warm_up)},
          {"NumThreads", number(f.num_threads)},
          {"InterOpParallelNum", number(f.inter_op)},
          {"Fp16Priority", f.fp16 ? "1" : "0"},
          {"EnableParallel", "0"},
          {"calibDataPath", f.benchmark_data_file},
          {"EnableGLTexture", "0"},
          {"cpuBindMode", kBindModes[f.cpu_bind_mode]},
          {"CalibDataType", f.benchmark_data_type}};
}

absl::Status Complete(const BenchmarkFlags& f, BenchmarkRequest& request) {
  if (absl::Status status = CheckNumbers(f); !status.ok()) return status;
  if (absl::Status status = CheckUnsupported(f); !status.ok()) return status;
  absl::StatusOr<std::map<std::string, std::vector<int64_t>>> shapes = ParseInputShapes(f.input_shape);
  if (!shapes.ok()) return shapes.status();
  request.input_shapes = *std::move(shapes);
  if (absl::Status status = ReadPositionalShapes(f.input_shapes, request); !status.ok()) return status;
  if (absl::Status status = ReadCores(f, request); !status.ok()) return status;
  if (absl::Status status = ReadPreprocessing(f.config_file, request); !status.ok()) return status;
  ReadInputFiles(f.in_data_file, request);
  request.model_file = f.model_file;
  request.loop_count = f.loop_count;
  request.warm_up_count = f.warm_up;
  request.num_threads = f.num_threads;
  request.float16 = f.fp16;
  if (absl::Status status = ReadDequantStrategy(f.dequant_strategy, request); !status.ok()) return status;
  request.time_profiling = f.time_profiling;
  request.memory_limit_mb = f.memory_limit;
  request.golden_file = f.benchmark_data_file;
  request.accuracy_threshold_percent = f.accuracy_threshold;
  request.cosine_threshold = f.cosine_threshold;
  request.compare_model = f.compare_model;
  request.logits = f.logits;
  request.image_folder = f.image_path;
  request.label_file = f.label_file;
  request.label_offset = f.label_offset;
  request.image_count = f.image_count;
  request.json = f.json;
  const size_t given = request.input_shapes.size() + request.positional_shapes.size();
  if (given != 0 && !request.input_files.empty() && given != request.input_files.size()) {
    return Refuse({"the number of shapes (", std::to_string(given), ") and of input files (",
                   std::to_string(request.input_files.size()), ") differ"});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BenchmarkCommand> ReadBenchmarkCommand(int argc, const char* const* argv) {
  BenchmarkFlags flags;
  FlagParser parser = MakeParser(flags);
  BenchmarkCommand command;
  command.usage = parser.Usage();
  if (absl::Status status = parser.Parse(argc, argv); !status.ok()) {
    return Refuse({std::string(status.message()), "\n", command.usage});
  }
  command.help = parser.help_wanted();
  if (command.help) return command;
  if (absl::Status status = Complete(flags, command.request); !status.ok()) return status;
  command.settings = Settings(flags);
  return command;
}

}  // namespace qlite::cli
