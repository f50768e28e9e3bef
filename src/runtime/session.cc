#include "qlite/session.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <new>
#include <optional>

#include "absl/strings/str_join.h"
#include "core/error_site.h"
#include "core/status_macros.h"
#include "core/str_cat.h"
#include "runtime/constant_bytes.h"
#include "runtime/constant_folding.h"
#include "runtime/early_taps.h"
#include "runtime/lowering.h"
#include "runtime/program_runner.h"

namespace qlite {
namespace {

// What the forks of a session share.
struct Shared {
  Graph graph;  // shapes static, constants folded
  std::vector<FoldedValue> folded;
  LoweringOptions options;
  CodedWeights coded;
  PackedCache packed;
  bool profile = false;
  std::shared_ptr<const Program> program;

  // The program that makes every value of the graph, all of them whole or some in parts, made when it is first wanted.
  absl::StatusOr<std::shared_ptr<const Program>> TappedProgram(bool whole) {
    const std::lock_guard lock(mutex);
    std::shared_ptr<const Program>& tapped = whole ? tapped_whole : tapped_in_parts;
    if (tapped == nullptr) {
      LoweringOptions unfused = options;
      unfused.fuse = false;
      unfused.strip_threads = whole ? 0 : 1;
      auto made = Lowering::Lower(graph, unfused);
      if (!made.ok()) return made.status();
      tapped = std::make_shared<const Program>(std::move(*made));
    }
    return tapped;
  }

 private:
  std::mutex mutex;
  std::shared_ptr<const Program> tapped_whole, tapped_in_parts;
};

class Profiler {
 public:
  explicit Profiler(const Shared& shared) {
    constexpr int32_t kBorder = -1;
    std::map<int32_t, size_t> entries;
    for (const Step& step : shared.program->steps) {
      const int32_t key = step.node.valid() ? step.node.index : kBorder;
      const auto [entry, added] = entries.try_emplace(key, profiles_.size());
      entry_of_step_.push_back(entry->second);
      if (!added) continue;
      if (key == kBorder) {
        profiles_.push_back({"inputs and outputs", "Convert", 0, 0});
      } else {
        const Node& node = shared.graph.node(step.node);
        profiles_.push_back({node.name, std::string(OpName(node.op)), 0, 0});
      }
    }
  }

  absl::Status Run(const ProgramRunner& runner) {
    auto before = std::chrono::steady_clock::now();
    for (NodeProfile& profile : profiles_) ++profile.calls;
    return runner.RunWatched([&](size_t done) {
      const auto now = std::chrono::steady_clock::now();
      if (done > 0) {
        profiles_[entry_of_step_[done - 1]].total_ms += std::chrono::duration<double, std::milli>(now - before).count();
      }
      before = now;
    });
  }

  const std::vector<NodeProfile>& profiles() const { return profiles_; }

 private:
  std::vector<NodeProfile> profiles_;
  std::vector<size_t> entry_of_step_;
};

class ProgramSession : public Session {
 public:
  ProgramSession(const Context& context, std::shared_ptr<Shared> shared)
      : context_(context),
        shared_(std::move(shared)),
        buffers_(SessionBuffers::For(*shared_->program)),
        runner_(shared_->program, buffers_, context_.executor()) {
    if (shared_->profile) profiler_.emplace(*shared_);
  }

  absl::StatusOr<std::unique_ptr<Session>> Fork(const Context& context) const override {
    try {
      return std::make_unique<ProgramSession>(context, shared_);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("not enough memory for the activations of another session");
    }
  }

  size_t input_count() const override { return shared_->program->inputs.size(); }
  size_t output_count() const override { return shared_->program->outputs.size(); }
  const std::string& input_name(size_t i) const override { return shared_->program->inputs[i].name; }
  const std::string& output_name(size_t i) const override { return shared_->program->outputs[i].name; }

  MutableTensorView input(size_t i) override {
    const SessionValue& value = shared_->program->inputs[i];
    return {value.type, value.dims, buffers_.inputs[i].get(), static_cast<size_t>(value.bytes())};
  }
  TensorView output(size_t i) const override {
    const SessionValue& value = shared_->program->outputs[i];
    return {value.type, value.dims, buffers_.outputs[i].get(), static_cast<size_t>(value.bytes())};
  }

  absl::Status Run() override { return profiler_ ? profiler_->Run(runner_) : runner_.Run(); }

  absl::Status RunTapped(Tap tap) override {
    QLITE_RETURN_IF_ERROR(PrepareTaps(true));
    TapFolded(tap);
    size_t next = 0;
    return tapped_->RunWatched([&](size_t done) { TapMade(done, tap, next); });
  }

  absl::Status RunTappedEarly(const EarlyTapOptions& options, EarlyTap early) {
    QLITE_RETURN_IF_ERROR(PrepareTaps(MustKeep(options)));
    const auto tap = [&](ValueId id, const TappedValue& value) { early(id, value, value.elements); };
    TapFolded(tap);
    size_t next = 0;
    const auto tell = [&](size_t done, const std::byte* value, int64_t end) {
      // The step makes a value to be tapped, unless more steps of its node follow.
      const TapPoint* made = TapBehind(done + 1);
      if (made == nullptr) return;
      FillView(*made);
      view_.data = value;
      const int64_t ready = end / static_cast<int64_t>(ElementSize(view_.type));
      if (ready < view_.elements || made->in_parts) early(made->value, view_, ready);
    };
    return tapped_->RunWatched([&](size_t done) { TapMade(done, tap, next); }, tell, options.split_values);
  }

  const std::vector<NodeProfile>& profile() const override {
    static const std::vector<NodeProfile> kNone;
    return profiler_ ? profiler_->profiles() : kNone;
  }

  SessionMemory memory() const override { return MemoryOf(*shared_->program, runner_); }

  absl::StatusOr<SessionMemory> TappedMemory(const EarlyTapOptions& options) {
    QLITE_RETURN_IF_ERROR(PrepareTaps(MustKeep(options)));
    return MemoryOf(tapped_->program(), *tapped_);
  }

  uint64_t constant_bytes() const { return ConstantBytes(shared_->graph); }

  Float16Use float16() const override { return shared_->program->float16; }

 private:
  static SessionMemory MemoryOf(const Program& program, const ProgramRunner& runner) {
    return {static_cast<uint64_t>(program.weights_bytes), static_cast<uint64_t>(runner.memory_bytes()),
            static_cast<uint64_t>(program.coded_bytes)};
  }

  // Several threads make parts of a value side by side, which nobody is told of.
  bool MustKeep(const EarlyTapOptions& options) const {
    return options.keep_values || context_.executor().concurrency() > 1;
  }

  absl::Status PrepareTaps(bool whole) {
    if (tapped_ && taps_whole_ == whole) return absl::OkStatus();
    try {
      auto program = shared_->TappedProgram(whole);
      if (!program.ok()) return program.status();
      tapped_.emplace(*program, buffers_, context_.executor());
      taps_whole_ = whole;
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("not enough memory to keep every value of the graph");
    }
    return absl::OkStatus();
  }

  void TapFolded(Tap tap) {
    for (const FoldedValue& value : shared_->folded) {
      FillView(value.result);
      tap(value.id, view_);
    }
  }

  // The first tap behind so many steps and no fewer, or null.
  const TapPoint* TapBehind(size_t steps) const {
    const std::vector<TapPoint>& taps = tapped_->program().taps;
    const auto at = std::lower_bound(taps.begin(), taps.end(), steps,
                                     [](const TapPoint& tap, size_t wanted) { return tap.after_steps < wanted; });
    return at != taps.end() && at->after_steps == steps ? &*at : nullptr;
  }

  // Taps the values from the `next` one on that are in memory once `done` steps have run.
  void TapMade(size_t done, Tap tap, size_t& next) {
    const std::vector<TapPoint>& taps = tapped_->program().taps;
    for (; next < taps.size() && taps[next].after_steps <= done; ++next) {
      if (taps[next].in_parts) continue;
      FillView(taps[next]);
      tap(taps[next].value, view_);
    }
  }

  void FillView(const TapPoint& point) {
    view_.type = point.at.type;
    view_.dims.assign(point.at.dims.begin(), point.at.dims.end());
    view_.data = tapped_->Locate(point.at.at);
    view_.elements = point.at.elements();
    view_.channels_last = point.at.layout == Layout::kChannelsLast && !LayoutsAgree(point.at.dims);
    view_.offset_by_128 = point.at.type == ElementType::kInt8;
  }

  void FillView(const Tensor& constant) {
    view_ = {};
    view_.type = constant.type();
    view_.dims.assign(constant.dims().begin(), constant.dims().end());
    view_.data = constant.buffer().data;
    view_.elements = constant.element_count();
  }

  Context context_;
  std::shared_ptr<Shared> shared_;
  SessionBuffers buffers_;
  ProgramRunner runner_;
  std::optional<ProgramRunner> tapped_;
  bool taps_whole_ = true;  // tapped_ runs the program that keeps all values
  std::optional<Profiler> profiler_;
  TappedValue view_;
};

// Fixes the shapes of the inputs: as the host says, and 1 for what stays unknown.
absl::Status FixShapes(Graph& graph, const SessionOptions& options) {
  QLITE_RETURN_IF_ERROR(graph.Validate());
  QLITE_RETURN_IF_ERROR(graph.InferShapes(options.input_shapes));
  std::map<std::string, std::vector<int64_t>> fixed;
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    if (!input.shape.has_rank()) {
      return AtValue(
          absl::InvalidArgumentError(StrCat("graph input '", input.name, "' has no known rank; give its shape")),
          input.name);
    }
    if (input.shape.IsStatic()) continue;
    std::vector<int64_t> extents;
    for (const Dim& dim : input.shape.dims()) extents.push_back(dim.known() ? dim.value : 1);
    fixed[input.name] = extents;
  }
  return fixed.empty() ? absl::OkStatus() : graph.InferShapes(fixed);
}

bool DecodesOnTheFly(const Graph& graph, WeightDecoding decoding) {
  if (decoding != WeightDecoding::kAsModelSays) return decoding == WeightDecoding::kOnTheFly;
  const auto said = graph.metadata.find("qlite.dequant_strategy");
  return said != graph.metadata.end() && said->second == "ON_THE_FLY";
}

// The Dequantize nodes that products take upon them, ascending. Says which weights are decoded after all.
std::vector<NodeId> ChooseCodedWeights(const Context& context, const Graph& graph, CodedPlan plan,
                                       WeightDecoding decoding) {
  if (!DecodesOnTheFly(graph, decoding)) return {};
  if (!plan.decoded.empty()) {
    context.Log(LogLevel::kInfo,
                StrCat(plan.decoded.size(), " of ", plan.decoded.size() + plan.nodes.size(),
                       " weights are decoded when the session is created: ", absl::StrJoin(plan.decoded, "; ")));
  }
  std::sort(plan.nodes.begin(), plan.nodes.end());
  return std::move(plan.nodes);
}

absl::StatusOr<std::shared_ptr<Shared>> Prepare(const Context& context, Graph graph, const SessionOptions& options) {
  auto shared = std::make_shared<Shared>();
  shared->graph = std::move(graph);
  shared->profile = options.profile;
  if (!kernels::ParseIsa(context.isa(), &shared->options.isa)) {
    return absl::InternalError(StrCat("unknown instruction set '", context.isa(), "'"));
  }
  shared->options.limits = context.limits();
  shared->options.float16 = options.float16;
  shared->options.cache = &shared->packed;
  std::vector<std::string> output_names;
  QLITE_RETURN_IF_ERROR(FixShapes(shared->graph, options));
  for (ValueId output : shared->graph.outputs()) output_names.push_back(shared->graph.value(output).name);
  CodedPlan plan = PlanCodedWeights(shared->graph);
  shared->options.products_of_integers = ProductsOfIntegers(shared->graph, plan);
  const std::vector<NodeId> kept = ChooseCodedWeights(context, shared->graph, std::move(plan), options.weight_decoding);
  while (true) {  // what is known now may give the shapes from which more follows
    auto folded = FoldConstants(shared->graph, shared->options.isa, context.limits(), context.executor(), kept);
    if (!folded.ok()) return folded.status();
    if (folded->empty()) break;
    QLITE_RETURN_IF_ERROR(shared->graph.InferShapes());
    shared->folded.insert(shared->folded.end(), folded->begin(), folded->end());
  }
  shared->coded = TakeCodedWeights(shared->graph, kept);
  shared->options.coded = &shared->coded;
  shared->options.strip_threads = options.profile ? 0 : context.executor().concurrency();
  shared->options.executor = &context.executor();
  auto program = Lowering::Lower(shared->graph, shared->options);
  if (!program.ok()) return program.status();
  shared->options.executor = nullptr;  // every weight is packed, and the next program finds it in the cache
  for (size_t i = 0; i < output_names.size(); ++i) program->outputs[i].name = output_names[i];
  shared->program = std::make_shared<const Program>(std::move(*program));
  return shared;
}

}  // namespace

absl::Status RunTappedEarly(Session& session, const EarlyTapOptions& options, EarlyTap tap) {
  return static_cast<ProgramSession&>(session).RunTappedEarly(options, tap);
}

absl::StatusOr<SessionMemory> TappedMemory(Session& session, const EarlyTapOptions& options) {
  return static_cast<ProgramSession&>(session).TappedMemory(options);
}

uint64_t ConstantBytes(const Session& session) { return static_cast<const ProgramSession&>(session).constant_bytes(); }

absl::StatusOr<std::unique_ptr<Session>> Session::Create(const Context& context, Graph graph,
                                                         const SessionOptions& options) {
  const std::string name = graph.name;
  try {
    auto shared = Prepare(context, std::move(graph), options);
    if (!shared.ok()) return shared.status();
    return std::make_unique<ProgramSession>(context, std::move(*shared));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(StrCat("not enough memory to run graph '", name, "'"));
  }
}

}  // namespace qlite
