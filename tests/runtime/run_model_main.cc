// Runs an ONNX model on raw inputs, for comparison with other runtimes: a tool of the tests, not shipped.
//
//   run_model model.onnx output_folder [--input name=file]... [--shape name=1,3,224,224]... [--threads N] [--isa NAME]
//             [--loops N] [--profile] [--tapped]
//
// Inputs without a file are filled with a fixed pseudo-random sequence. Every output is written to
// output_folder/<number>.bin; `-` writes none.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "formats/onnx/onnx_reader.h"
#include "qlite/session.h"

namespace {

struct Arguments {
  std::string model, folder;
  std::map<std::string, std::string> inputs;
  qlite::SessionOptions session;
  qlite::ContextOptions context;
  int loops = 1;
  bool tapped = false;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

std::vector<char> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<int64_t> ParseShape(const std::string& text) {
  std::vector<int64_t> shape;
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    shape.push_back(std::stoll(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return shape;
}

Arguments Parse(int argc, char** argv) {
  if (argc < 3) Fail("usage: run_model model.onnx output_folder [options]");
  Arguments arguments;
  arguments.model = argv[1];
  arguments.folder = argv[2];
  for (int i = 3; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto next = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (flag == "--profile") {
      arguments.session.profile = true;
    } else if (flag == "--tapped") {
      arguments.tapped = true;
    } else if (flag == "--threads") {
      arguments.context.num_threads = std::stoi(next());
    } else if (flag == "--isa") {
      arguments.context.isa = next();
    } else if (flag == "--loops") {
      arguments.loops = std::stoi(next());
    } else if (flag == "--input" || flag == "--shape") {
      const std::string pair = next();
      const size_t equals = pair.find('=');
      const std::string name = pair.substr(0, equals), rest = pair.substr(equals + 1);
      if (flag == "--input") arguments.inputs[name] = rest;
      if (flag == "--shape") arguments.session.input_shapes[name] = ParseShape(rest);
    } else {
      Fail("unknown flag " + flag);
    }
  }
  return arguments;
}

void FillInputs(qlite::Session& session, const Arguments& arguments) {
  for (size_t i = 0; i < session.input_count(); ++i) {
    auto view = session.input(i);
    const auto given = arguments.inputs.find(session.input_name(i));
    if (given != arguments.inputs.end()) {
      const std::vector<char> bytes = ReadFile(given->second);
      if (bytes.size() != view.bytes) Fail(given->second + " has a wrong size");
      std::memcpy(view.data, bytes.data(), bytes.size());
    } else if (view.type == qlite::ElementType::kFloat32) {
      uint32_t state = 1;
      for (float& x : view.as<float>()) {
        state = state * 1664525u + 1013904223u;
        x = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
      }
    }
  }
}

void Report(const qlite::Session& session, std::vector<double> times, std::vector<double> cpu_times) {
  std::sort(times.begin(), times.end());
  std::sort(cpu_times.begin(), cpu_times.end());
  std::printf("cpu time of the process, 10th percentile: %.3f ms\n", cpu_times[cpu_times.size() / 10]);
  std::printf("median %.3f ms, minimum %.3f ms, weights %.2f MB, activations %.2f MB\n", times[times.size() / 2],
              times[0], static_cast<double>(session.memory().weights_bytes) / 1e6,
              static_cast<double>(session.memory().activations_bytes) / 1e6);
  for (const auto& node : session.profile()) {
    std::printf("%9.4f ms  %-20s %s\n", node.total_ms / static_cast<double>(node.calls), node.op.c_str(),
                node.name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = Parse(argc, argv);
  auto context = qlite::Context::Create(arguments.context);
  if (!context.ok()) Fail(std::string(context.status().message()));
  auto graph = qlite::ReadOnnx(qlite::Buffer::Own(ReadFile(arguments.model)), arguments.model);
  if (!graph.ok()) Fail(std::string(graph.status().message()));
  auto session = qlite::Session::Create(*context, *graph, arguments.session);
  if (!session.ok()) Fail(std::string(session.status().message()));
  FillInputs(**session, arguments);

  std::vector<double> times, cpu_times;
  for (int i = 0; i < arguments.loops; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    size_t taps = 0;
    const absl::Status status = arguments.tapped
                                    ? (*session)->RunTapped([&](qlite::ValueId, const qlite::TappedValue&) { ++taps; })
                                    : (*session)->Run();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    cpu_times.push_back(1000.0 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    if (!status.ok()) Fail(std::string(status.message()));
  }
  Report(**session, times, cpu_times);
  if (arguments.folder == "-") return 0;
  for (size_t i = 0; i < (*session)->output_count(); ++i) {
    const auto view = (*session)->output(i);
    std::ofstream file(arguments.folder + "/" + std::to_string(i) + ".bin", std::ios::binary);
    file.write(static_cast<const char*>(view.data), static_cast<std::streamsize>(view.bytes));
    std::printf("%s\n", (*session)->output_name(i).c_str());
  }
  return 0;
}
