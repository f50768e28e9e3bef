// Our kernels beside oneDNN's in one process, shape by shape and in turns, so that both meet the same neighbours.
// Prints for each shape the speed of both, the ratio, and the share of the register-only peak that ours reaches; for
// float products also that of the register tile whose operands never leave the first-level cache, which is what the
// clock leaves of the peak when a product draws more of the core than registers do. Times are the best of all turns.
//
//   bench_onednn [--threads=1|2] [--type=float32|int8] [--seconds=S] [--filter=substring] [--isa=name]
//
// int8 on the peer's side is what our arithmetic is: u8 times s8 to u8, a bias, one scale an output channel and zero
// points; column `plain` is the peer without its zero points. It may use wider instructions than ours (AMX); cap them
// with ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI to compare like with like. With two threads set OMP_WAIT_POLICY=passive, or
// the peer's idle thread keeps ours from its processor.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/aligned_memory.h"
#include "peak.h"
#include "problems.h"
#include "qlite/context.h"

namespace qlite::kernels {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

struct Options {
  int threads = 1;
  std::string type;
  double seconds = 0.5;
  std::string filter;
  Isa isa = BestIsa();
};

enum class Arithmetic { kFloat, kBytes, kBytesWithoutZeroPoints };

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// A primitive of the peer with its operands.
struct Peer {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> operands;
  std::string implementation;
  void Run() const {
    static dnnl::stream stream(Engine());
    primitive.execute(stream, operands);
    stream.wait();
  }
};

// In memory of the kind that our own operands lie in, for the life of the program.
memory Filled(const memory::desc& desc) {
  static std::vector<std::shared_ptr<std::byte>> blocks;
  blocks.push_back(AllocateAligned(desc.get_size()));
  memory result(desc, Engine(), blocks.back().get());
  auto* bytes = static_cast<uint8_t*>(result.get_data_handle());
  const bool floats = desc.data_type() == Type::f32;
  for (size_t i = 0; i < desc.get_size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37);
  // Ordinary values: not-a-numbers and denormals have speeds of their own.
  for (size_t i = 0; floats && i + 4 <= desc.get_size(); i += 4) {
    const float value = static_cast<float>(static_cast<int>(i / 4 * 37 % 255) - 127) * 0x1p-7f;
    std::memcpy(bytes + i, &value, sizeof value);
  }
  return result;
}

dnnl::primitive_attr Attributes(Arithmetic arithmetic, int64_t channels, int mask, bool relu) {
  dnnl::primitive_attr attributes;
  if (arithmetic != Arithmetic::kFloat) {
    attributes.set_output_scales(mask, std::vector<float>(static_cast<size_t>(channels), 1e-4f));
    if (arithmetic == Arithmetic::kBytes) {
      attributes.set_zero_points(DNNL_ARG_SRC, 0, {128});
      attributes.set_zero_points(DNNL_ARG_DST, 0, {128});
    }
  } else if (relu) {
    dnnl::post_ops clamp;
    clamp.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(clamp);
  }
  return attributes;
}

template <class Primitive, class Description>
Peer Prepare(const Description& description) {
  Peer peer;
  peer.primitive = Primitive(description);
  peer.operands = {{DNNL_ARG_SRC, Filled(description.src_desc())},
                   {DNNL_ARG_WEIGHTS, Filled(description.weights_desc())},
                   {DNNL_ARG_BIAS, Filled(description.query_md(dnnl::query::exec_arg_md, DNNL_ARG_BIAS))},
                   {DNNL_ARG_DST, Filled(description.dst_desc())}};
  peer.implementation = description.impl_info_str();
  return peer;
}

struct Types {
  explicit Types(Arithmetic arithmetic)
      : activation(arithmetic == Arithmetic::kFloat ? Type::f32 : Type::u8),
        weight(arithmetic == Arithmetic::kFloat ? Type::f32 : Type::s8),
        bias(arithmetic == Arithmetic::kFloat ? Type::f32 : Type::s32) {}
  Type activation, weight, bias;
};

Peer MakePeer(const Product& p, Arithmetic arithmetic) {
  const Types types(arithmetic);
  const dnnl::matmul::desc desc(
      memory::desc({p.m, p.k}, types.activation, Tag::ab), memory::desc({p.k, p.n}, types.weight, Tag::any),
      memory::desc({1, p.n}, types.bias, Tag::ab), memory::desc({p.m, p.n}, types.activation, Tag::ab));
  return Prepare<dnnl::matmul>(
      dnnl::matmul::primitive_desc(desc, Attributes(arithmetic, p.n, 1 << 1, false), Engine()));
}

Peer MakePeer(const Layer& l, Arithmetic arithmetic) {
  const Types types(arithmetic);
  const memory::dims weights = l.groups == 1
                                   ? memory::dims{l.out_c, l.in_c, l.kernel, l.kernel}
                                   : memory::dims{l.groups, l.out_c / l.groups, l.in_c / l.groups, l.kernel, l.kernel};
  const int64_t end = (l.OutSize() - 1) * l.stride + l.kernel - l.size - l.Pad();
  const dnnl::convolution_forward::desc desc(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
      memory::desc({1, l.in_c, l.size, l.size}, types.activation, Tag::nhwc),
      memory::desc(weights, types.weight, Tag::any), memory::desc({l.out_c}, types.bias, Tag::a),
      memory::desc({1, l.out_c, l.OutSize(), l.OutSize()}, types.activation, Tag::nhwc), {l.stride, l.stride},
      {l.Pad(), l.Pad()}, {end, end});
  return Prepare<dnnl::convolution_forward>(
      dnnl::convolution_forward::primitive_desc(desc, Attributes(arithmetic, l.out_c, 1 << 1, true), Engine()));
}

// One thread is timed by its processor time, which leaves out what a neighbour takes; several by the clock.
double Seconds(int threads) {
  if (threads == 1) return ThreadSeconds();
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Calls the function before it is timed. Once, so that its data are where a call leaves them and not where the others
// pushed them: a turn of few calls would be one of memory, and the slower the first call the fewer they are. Nor is a
// thread that slept a figure of the kernels: the system wakes it where another runs and moves it some milliseconds
// later, and it finds its data at the other's processor.
void WarmUp(int threads, const std::function<void()>& function) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(threads > 1 ? 12 : 0);
  do {
    function();
  } while (std::chrono::steady_clock::now() < end);
}

// Each function has so many turns at least. A neighbour on the other thread of the core takes up to a third of what it
// starts in a cycle, more of some loops than of others, and leaves it alone for some milliseconds at a time.
constexpr int kLeastTurns = 24;

// The best time of one call of each of several functions, called in turns of about a millisecond, or of four where
// threads have to be woken before.
std::vector<double> BestTimes(const Options& options, const std::vector<std::function<void()>>& functions) {
  const double turn_seconds = options.threads > 1 ? 4e-3 : 1e-3;
  std::vector<double> best(functions.size(), 1e9);
  double spent = 0;
  for (int turn = 0; turn < kLeastTurns || spent < options.seconds; ++turn) {
    for (size_t i = 0; i < functions.size(); ++i) {
      if (options.threads > 1) {
        // OpenMP's threads go on spinning after their work and would keep a processor from ours: wait until they sleep.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      const int calls = std::clamp(static_cast<int>(turn_seconds / best[i]), 1, 1000);
      WarmUp(options.threads, functions[i]);
      const double start = Seconds(options.threads);
      for (int call = 0; call < calls; ++call) functions[i]();
      const double seconds = Seconds(options.threads) - start;
      best[i] = std::min(best[i], seconds / calls);
      spent += seconds;
    }
  }
  return best;
}

using PeakLoop = int64_t (*)(int64_t steps);

// A loop that nothing exceeds, for about as long as a problem takes: one run on each thread.
struct Ceiling {
  Ceiling(PeakLoop l, double operations, int threads) : loop(l) {
    constexpr int64_t kSteps = 64;
    const double of_steps = static_cast<double>(loop(kSteps));
    steps = static_cast<int64_t>(operations / threads / of_steps * kSteps) / kSteps * kSteps + kSteps;
    share = operations / (of_steps * static_cast<double>(steps * threads) / kSteps);
  }
  PeakLoop loop;
  int64_t steps;
  double share;  // of the problem's operations in those of all runs
};

template <class Shape>
void Compare(const Options& options, Executor* executor, const char* type, PeakLoop peak_loop,
             Problem (*make)(Isa, const Shape&), const Shape& shape) {
  if (std::string_view(shape.name).find(options.filter) == std::string_view::npos) return;
  const Problem problem = make(options.isa, shape);
  const bool floats = std::string_view(type) == "float32";
  const Peer peer = MakePeer(shape, floats ? Arithmetic::kFloat : Arithmetic::kBytes);
  const Peer plain = MakePeer(shape, floats ? Arithmetic::kFloat : Arithmetic::kBytesWithoutZeroPoints);
  // The peak is measured beside the kernels, over as many operations: clocks and neighbours change.
  const Ceiling peak(peak_loop, problem.operations, options.threads);
  const Ceiling tile(Peak(options.isa).tile_multiply_add, problem.operations, options.threads);
  const auto run_ceiling = [&](const Ceiling& ceiling) {
    executor->ParallelFor(options.threads, [&](int64_t begin, int64_t end, int) {
      for (; begin < end; ++begin) ceiling.loop(ceiling.steps);
    });
  };
  std::vector<std::function<void()>> functions = {
      [&] {
        executor->ParallelFor(problem.units,
                              [&](int64_t begin, int64_t end, int thread) { problem.run(begin, end, thread); });
      },
      [&] { run_ceiling(peak); }, [&] { peer.Run(); }};
  if (floats) functions.push_back([&] { run_ceiling(tile); });
  if (!floats) functions.push_back([&] { plain.Run(); });
  const std::vector<double> times = BestTimes(options, functions);
  std::printf("%-8s %-24s %8.1f %6.1f", type, shape.name, problem.operations / times[0] * 1e-9,
              100 * peak.share * times[1] / times[0]);
  if (floats) {
    std::printf(" %6.1f", 100 * tile.share * times[3] / times[0]);
  } else {
    std::printf(" %6s", "");
  }
  std::printf(" %8.1f %6.2f", problem.operations / times[2] * 1e-9, times[2] / times[0]);
  if (!floats) std::printf(" %8.1f %6.2f", problem.operations / times[3] * 1e-9, times[3] / times[0]);
  std::printf("  %s\n", (floats ? peer : plain).implementation.c_str());
  std::fflush(stdout);
}

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = argument.substr(0, equals);
    const std::string value(argument.substr(equals + 1));
    if (name == "--threads" && (value == "1" || value == "2")) {
      options->threads = value[0] - '0';
    } else if (name == "--type" && (value == "float32" || value == "int8")) {
      options->type = value;
    } else if (name == "--seconds") {
      options->seconds = std::atof(value.c_str());
    } else if (name == "--filter") {
      options->filter = value;
    } else if (name != "--isa" || !ParseIsa(value, &options->isa) || !IsSupported(options->isa)) {
      return false;
    }
  }
  return true;
}

void CompareAll(const Options& options) {
  omp_set_num_threads(options.threads);
  const std::shared_ptr<Executor> executor = MakeThreadPool(options.threads);
  std::printf("%s, %d thread%s; peak of one thread %.1f GFLOPS float32, %.1f GOPS int8\n",
              std::string(IsaName(options.isa)).c_str(), options.threads, options.threads == 1 ? "" : "s",
              MultiplyAddPeak(options.isa) * 1e-9, DotProductPeak(options.isa) * 1e-9);
  std::printf("%-8s %-24s %8s %6s %6s %8s %6s %8s %6s\n", "type", "shape", "G/s", "peak%", "tile%", "oneDNN", "ratio",
              "plain", "ratio");
  const auto compare = [&](const char* type, PeakLoop peak_loop, auto make, const auto& shapes) {
    if (!options.type.empty() && options.type != type) return;
    for (const auto& shape : shapes) Compare(options, executor.get(), type, peak_loop, make, shape);
  };
  compare("float32", Peak(options.isa).multiply_add, &FloatProduct, Products());
  compare("float32", Peak(options.isa).multiply_add, &FloatLayer, Layers());
  compare("int8", Peak(options.isa).dot_product, &ByteProduct, Products());
  compare("int8", Peak(options.isa).dot_product, &ByteLayer, Layers());
}

}  // namespace
}  // namespace qlite::kernels

int main(int argc, char** argv) {
  qlite::kernels::Options options;
  if (!qlite::kernels::Parse(argc, argv, &options)) {
    std::fprintf(stderr,
                 "usage: %s [--threads=1|2] [--type=float32|int8] [--seconds=S] [--filter=substring] [--isa=name]\n",
                 argv[0]);
    return 1;
  }
  qlite::kernels::CompareAll(options);
  return 0;
}
