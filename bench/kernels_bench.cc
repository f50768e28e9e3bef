// Speed of the product, convolution and depthwise kernels, one thread, on layers of the usual classifiers, for every
// instruction set that this processor executes. OPS counts a multiply-add as two operations. `peak` is the share of
// what a register-only loop of the instruction set reaches; `memory` is the share of the bandwidth at which one thread
// reads a footprint of this size, each operand counted once. `vector` is the share of the peak of the vector
// instruction set, where a matrix unit is measured. Peaks are measured in the same process, beforehand. OPS are those of
// direct sums: what Winograd's method saves makes shares above 1.
//
//   bench_kernels --benchmark_filter='avx512vnni/int8/.*depthwise'
#include <benchmark/benchmark.h>

#include <string>

#include "peak.h"
#include "problems.h"

namespace qlite::kernels {
namespace {

struct Peaks {
  double own;
  double vector;  // the same but for matrix units
};

template <class Shape>
void Measure(benchmark::State& state, Isa isa, const Peaks& peaks, Problem (*make)(Isa, const Shape&),
             const Shape& shape) {
  const Problem problem = make(isa, shape);
  for (auto _ : state) problem.run(0, problem.units, 0);
  using benchmark::Counter;
  const auto bytes = static_cast<double>(problem.bytes);
  state.counters["OPS"] = Counter(problem.operations, Counter::kIsIterationInvariantRate);
  state.counters["peak"] = Counter(problem.operations / peaks.own, Counter::kIsIterationInvariantRate);
  if (isa != WithoutMatrixUnit(isa)) {
    state.counters["vector"] = Counter(problem.operations / peaks.vector, Counter::kIsIterationInvariantRate);
  }
  state.counters["memory"] = Counter(bytes / ReadBandwidth(isa, problem.bytes), Counter::kIsIterationInvariantRate);
}

void RegisterAll() {
  for (const Isa isa : SupportedIsas()) {
    const std::string name(IsaName(isa));
    const bool is_matrix_unit = isa != WithoutMatrixUnit(isa);
    const double float_peak = MultiplyAddPeak(isa);
    const double byte_peak = DotProductPeak(isa);
    const Peaks byte_peaks = {byte_peak, is_matrix_unit ? DotProductPeak(WithoutMatrixUnit(isa)) : byte_peak};
    benchmark::AddCustomContext(name + " peak", std::to_string(float_peak / 1e9) + " GFLOPS float32, " +
                                                    std::to_string(byte_peak / 1e9) + " GOPS int8");
    const auto add = [&](const char* type, Peaks peaks, auto make, const auto& shapes) {
      for (const auto& shape : shapes) {
        benchmark::RegisterBenchmark((name + "/" + type + "/" + shape.name).c_str(),
                                     [=, &shape](benchmark::State& state) { Measure(state, isa, peaks, make, shape); });
      }
    };
    add("int8", byte_peaks, &ByteProduct, Products());
    add("int8", byte_peaks, &ByteLayer, Layers());
    if (is_matrix_unit) continue;  // of int8 alone
    add("float32", {float_peak, float_peak}, &FloatProduct, Products());
    add("float32", {float_peak, float_peak}, &FloatLayer, Layers());
  }
}

}  // namespace
}  // namespace qlite::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  qlite::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
